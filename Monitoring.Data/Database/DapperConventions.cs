using System.Data;
using Dapper;
using Monitoring.Data.Configuration;
using Npgsql;
using NpgsqlTypes;

namespace Monitoring.Data.Database;

/// <summary>How rows become records, in one place: UTC times, enumerations as snake_case text, arrays.</summary>
internal static class DapperConventions
{
    private static readonly Lazy<bool> Applied = new(() =>
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true; // before the first query: readers are cached
        foreach (var type in (Type[])[typeof(DateTimeOffset), typeof(DateTimeOffset?)])
            SqlMapper.RemoveTypeMap(type); // else SetValue of our handler is never called
        SqlMapper.AddTypeHandler(new UtcHandler());
        SqlMapper.AddTypeHandler(new TextArrayHandler());
        SqlMapper.AddTypeHandler(new TimeArrayHandler());
        SqlMapper.AddTypeHandler(new TimesHandler());

        SqlMapper.Settings.PreferTypeHandlersForEnums = true; // no ints in text columns
        foreach (var type in typeof(DapperConventions).Assembly.GetExportedTypes().Where(type => type.IsEnum))
            SqlMapper.AddTypeHandler(type, (SqlMapper.ITypeHandler)Activator.CreateInstance(typeof(EnumHandler<>).MakeGenericType(type))!);
        return true;
    });

    public static void Apply() => _ = Applied.Value;

    private sealed class UtcHandler : SqlMapper.TypeHandler<DateTimeOffset>
    {
        public override void SetValue(IDbDataParameter parameter, DateTimeOffset value) => parameter.Value = value.ToUniversalTime();

        public override DateTimeOffset Parse(object value) => value is DateTime { Kind: DateTimeKind.Utc } utc
            ? new DateTimeOffset(utc)
            : throw new DataException($"a column of type timestamptz was expected, not {value.GetType().Name}");
    }

    private sealed class TextArrayHandler : SqlMapper.TypeHandler<string[]>
    {
        public override void SetValue(IDbDataParameter parameter, string[]? value)
        {
            ((NpgsqlParameter)parameter).NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text;
            parameter.Value = (object?)value ?? DBNull.Value;
        }

        public override string[] Parse(object value) => (string[])value;
    }

    // Times that may be missing: without its type an array of them cannot be told from one without a time zone.
    private sealed class TimeArrayHandler : SqlMapper.TypeHandler<DateTimeOffset?[]>
    {
        public override void SetValue(IDbDataParameter parameter, DateTimeOffset?[]? value)
        {
            ((NpgsqlParameter)parameter).NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz;
            parameter.Value = value is null ? DBNull.Value : value.Select(at => at?.UtcDateTime).ToArray();
        }

        public override DateTimeOffset?[] Parse(object value) => [.. ((DateTime?[])value).Select(at => (DateTimeOffset?)at)];
    }

    private sealed class TimesHandler : SqlMapper.TypeHandler<DateTimeOffset[]>
    {
        public override void SetValue(IDbDataParameter parameter, DateTimeOffset[]? value) =>
            parameter.Value = value is null ? DBNull.Value : value.Select(at => at.UtcDateTime).ToArray();

        public override DateTimeOffset[] Parse(object value) => [.. ((DateTime[])value).Select(at => new DateTimeOffset(at))];
    }

    private sealed class EnumHandler<T> : SqlMapper.TypeHandler<T> where T : struct, Enum
    {
        private static readonly Dictionary<string, T> ByName = Enum.GetValues<T>().ToDictionary(SnakeCase.Of);

        public override void SetValue(IDbDataParameter parameter, T value)
        {
            ((NpgsqlParameter)parameter).NpgsqlDbType = NpgsqlDbType.Text;
            parameter.Value = SnakeCase.Of(value);
        }

        public override T Parse(object value) => ByName.TryGetValue((string)value, out var found)
            ? found
            : throw new DataException($"'{value}' is no {typeof(T).Name}");
    }
}
