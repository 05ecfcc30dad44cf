using System.Net;
using System.Text;
using Markdig;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Monitoring.Api.Runbook;

/// <summary>One entry of the runbook: its heading, and where it stands on the page.</summary>
internal sealed record RunbookEntry(string Anchor, string Heading);

/// <summary>
/// The runbook as a page of HTML, made once of the text that is built into the program: it is there while everything else is away. The
/// anchor of a rule's entry is the rule's id as it is.
/// </summary>
internal sealed class RunbookPage
{
    private const string Resource = "runbook.md";
    private const int EntryLevel = 2;
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().DisableHtml().Build();

    /// <summary>Makes the page.</summary>
    public RunbookPage()
    {
        using var text = new StreamReader(typeof(RunbookPage).Assembly.GetManifestResourceStream(Resource)!);
        var document = Markdown.Parse(text.ReadToEnd(), Pipeline);
        Entries = [.. document.OfType<HeadingBlock>().Where(heading => heading.Level == EntryLevel).Select(GiveAnchor)];
        Html = Write(document.ToHtml(Pipeline));
    }

    /// <summary>What it has entries for, in its order.</summary>
    public IReadOnlyList<RunbookEntry> Entries { get; }

    /// <summary>The page.</summary>
    public string Html { get; }

    private static RunbookEntry GiveAnchor(HeadingBlock heading)
    {
        var text = string.Concat(heading.Inline!.Descendants<LiteralInline>().Select(literal => literal.Content.ToString()));
        var entry = new RunbookEntry(AnchorOf(text), text);
        heading.GetAttributes().Id = entry.Anchor;
        return entry;
    }

    // Dots stay, so that the id of a rule is its own anchor.
    private static string AnchorOf(string heading)
    {
        var anchor = new StringBuilder();
        foreach (var c in heading.ToLowerInvariant())
            if (char.IsAsciiLetterOrDigit(c) || c == '.')
                anchor.Append(c);
            else if (anchor.Length > 0 && anchor[^1] != '-')
                anchor.Append('-');
        return anchor.ToString().TrimEnd('-');
    }

    // Every address is relative: a proxy may show the page below a path that nothing here knows of.
    private string Write(string text)
    {
        var index = string.Concat(Entries.Select(entry =>
            $"<li><a href=\"#{entry.Anchor}\">{WebUtility.HtmlEncode(entry.Heading)}</a></li>\n"));
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>Monitoring: runbook</title>
              <link rel="icon" href="../favicon.svg" type="image/svg+xml">
              <link rel="stylesheet" href="docs.css">
            </head>
            <body class="runbook">
            <a class="skip" href="#text">Skip the list of entries</a>
            <header><p><a href="../">Dashboard</a> · <a href="./">What the read service answers</a></p></header>
            <nav aria-label="Entries"><ul>
            {index}</ul></nav>
            <main id="text" tabindex="-1">
            {text}</main>
            </body>
            </html>

            """;
    }
}
