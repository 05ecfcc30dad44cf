using System.Globalization;
using System.Text;

namespace Monitoring.Api.Metrics;

/// <summary>Writes metrics in the text format of Prometheus, version 0.0.4.</summary>
internal sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>Begins a metric: counter, gauge or histogram.</summary>
    public PrometheusText Metric(string name, string type, string help)
    {
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        return this;
    }

    /// <summary>One sample; labels are names and values in turn.</summary>
    public PrometheusText Sample(string name, double value, params ReadOnlySpan<string> labels)
    {
        _text.Append(name);
        for (var i = 0; i < labels.Length; i += 2)
            _text.Append(i == 0 ? '{' : ',').Append(labels[i]).Append("=\"").Append(Escape(labels[i + 1])).Append('"');
        _text.Append(labels.Length > 0 ? "} " : " ").Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
        return this;
    }

    /// <summary>A metric of one sample without labels.</summary>
    public PrometheusText Single(string name, string type, string help, double value) => Metric(name, type, help).Sample(name, value);

    public override string ToString() => _text.ToString();

    private static string Escape(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
