namespace Monitoring.Benchmarks;

/// <summary>Files of the checkout that this program, or the tests, run from.</summary>
internal static class Repository
{
    private static readonly Lazy<string> Root = new(() =>
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !System.IO.File.Exists(Path.Combine(folder.FullName, "Monitoring.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("this must run from within the checkout");
    });

    public static string File(string path) => Path.Combine(Root.Value, path);

    /// <summary>
    /// A program of the checkout as it was built for itself: artifacts/bin/&lt;program&gt;/&lt;configuration&gt;/,
    /// beside the caller's own folder.
    /// </summary>
    public static string Program(string name) =>
        File($"artifacts/bin/{name}/{new DirectoryInfo(AppContext.BaseDirectory).Name}/{name}.dll");
}
