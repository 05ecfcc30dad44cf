using System.Reflection;
using System.Text.Json.Serialization;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Tests.Events;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Recording;

public sealed class ResultJsonTests
{
    public static IEnumerable<Type> Kinds() => typeof(Observation).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(kind => kind.DerivedType);

    [Test]
    public void Every_kind_of_observation_has_its_name_in_json() =>
        Assert.That(typeof(Observation).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Observation))), Is.EquivalentTo(Kinds()));

    [TestCaseSource(nameof(Kinds))]
    public void Observation_comes_back_from_the_journal_to_the_last_digit(Type kind)
    {
        foreach (var variant in new[] { 0, 1, 2 })
        {
            var row = (Observation)Make(kind, variant)!;
            var entry = new ResultEntry(ResultSample.Of("m", ManualClock.Noon.AddTicks(1), CheckOutcome.Succeeded, [ResultSample.Finding("r", "s", Severity.High)], ["r:*"], row));
            var back = ((ResultEntry)JournalEntry.Parse(entry.ToJson())).Result;
            Assert.That(back.Observations[0], Is.TypeOf(kind));
            foreach (var property in kind.GetProperties().Where(property => property.CanWrite))
                Assert.That(property.GetValue(back.Observations[0]), Is.EqualTo(property.GetValue(row)), property.Name);
            Assert.That(back.Run, Is.EqualTo(entry.Result.Run));
            Assert.That(new ResultEntry(back).ToJson(), Is.EqualTo(entry.ToJson()));
            Assert.That(entry.ToJson().AsSpan().IndexOfAny(JournalFormat.Begin, JournalFormat.End), Is.EqualTo(-1), "neither byte of the frame occurs in it");
        }
    }

    // Values that are easily lost: many digits, trailing zeros, ticks, characters that JSON escapes; and nothing at all where that is allowed.
    private static object? Make(Type type, int variant)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return variant == 1 ? null : Make(inner, variant);
        if (type == typeof(decimal))
            return variant == 0 ? 0.1234567890123456789012345678m : variant == 1 ? -123456789012345678901234.6700m : decimal.MaxValue;
        if (type == typeof(DateTimeOffset))
            return ManualClock.Noon.AddTicks(1234567 + variant);
        if (type == typeof(string))
            return variant == 0 ? "0xAbC \"quoted\" \n\u001e\\ <é漢😀>" : variant == 1 ? "" : "plain";
        if (type == typeof(bool))
            return variant == 1;
        if (type.IsEnum)
            return Enum.GetValues(type).GetValue(Math.Min(variant, Enum.GetValues(type).Length - 1));
        if (type.IsPrimitive)
            return Convert.ChangeType(variant == 2 ? 1 : 120 + variant, type);
        if (type.IsArray || (type.IsGenericType && type.IsAssignableTo(typeof(System.Collections.IEnumerable))))
        {
            var element = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[0];
            var items = Array.CreateInstance(element, variant == 1 ? 0 : 2);
            for (var i = 0; i < items.Length; i++)
                items.SetValue(Make(element, variant), i);
            return items;
        }

        var constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter => Make(parameter.ParameterType, variant))]);
    }
}
