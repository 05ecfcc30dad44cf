using Monitoring.Data.Configuration;

namespace Monitoring.Data.Rules;

/// <summary>Reads thresholds by what the catalogue says of them: their setting and their default stand there and nowhere else.</summary>
public static class ThresholdSettings
{
    /// <summary>A decimal threshold between two bounds, both allowed.</summary>
    public static decimal Number(this SettingsReader settings, RuleThreshold threshold, decimal min, decimal max) =>
        settings.Number(KeyOf(threshold), threshold.Default, min, max);

    /// <summary>A threshold that is a whole number.</summary>
    public static int Whole(this SettingsReader settings, RuleThreshold threshold, int min, int max) =>
        settings.Whole(KeyOf(threshold), null, (int)threshold.Default, min, max);

    /// <summary>A threshold that is a span of whole seconds.</summary>
    public static TimeSpan Seconds(this SettingsReader settings, RuleThreshold threshold, int min, int max) =>
        settings.Seconds(KeyOf(threshold), null, (int)threshold.Default, min, max);

    /// <summary>Refuses a threshold of a higher severity that lies below that of a lower one.</summary>
    public static void RefuseUnlessInOrder(
        this SettingsReader settings, RuleThreshold lower, decimal lowerValue, RuleThreshold upper, decimal upperValue)
    {
        if (lowerValue > upperValue)
            settings.Refuse(KeyOf(upper),
                $"{upperValue} is below {KeyOf(lower)} ({lowerValue}); the higher severity needs the higher threshold");
    }

    /// <summary>The value of a threshold that is a fixed span of seconds.</summary>
    public static TimeSpan Span(this RuleThreshold threshold) => TimeSpan.FromSeconds((double)threshold.Default);

    private static string KeyOf(RuleThreshold threshold) =>
        threshold.Setting ?? throw new InvalidOperationException($"the threshold {threshold.Name} is fixed, no setting changes it");
}
