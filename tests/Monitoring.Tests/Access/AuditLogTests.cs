using Dapper;
using Monitoring.Data.Access;
using Npgsql;

namespace Monitoring.Tests.Access;

public sealed class AuditLogTests
{
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private Task<AuditVerdict> VerifyAsync(AuditHead? known = null) =>
        new AuditLog(_db).ReadAsync((head, rows) => AuditChain.VerifyAsync(head, rows, known, default), default);

    private async Task AppendAsync(int rows)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        for (var i = 1; i <= rows; i++)
            await new AuditLog(_db).AppendAsync(
                new AuditEntry("ada", "127.0.0.1", "event.resolve", $"event {i}", i % 2 == 0 ? "" : "naïve 🙂 : 1:x"),
                transaction, default);
        await transaction.CommitAsync();
    }

    // As somebody who owns the tables and has switched off what guards them.
    private async Task TamperAsync(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync($"SET session_replication_role = replica; {sql}");
    }

    [Test]
    public async Task Log_that_nobody_touched_is_whole()
    {
        Assert.That((await VerifyAsync()).Problem, Is.Null, "an empty one too");
        await AppendAsync(6);
        var verdict = await VerifyAsync();
        Assert.That((verdict.GoodRows, verdict.Problem), Is.EqualTo((6L, (string?)null)));
    }

    [TestCase("UPDATE audit_log SET detail = 'harmless' WHERE seq = 3", 3, "was changed")]
    [TestCase("UPDATE audit_log SET actor = 'eve' WHERE seq = 6", 6, "was changed")]
    [TestCase("UPDATE audit_log SET recorded_at = recorded_at + interval '1 microsecond' WHERE seq = 1", 1, "was changed")]
    [TestCase("UPDATE audit_log SET actor = 'ad', origin = 'a127.0.0.1' WHERE seq = 2", 2, "was changed")]
    [TestCase("DELETE FROM audit_log WHERE seq = 1", 1, "is missing")]
    [TestCase("DELETE FROM audit_log WHERE seq = 4", 4, "is missing")]
    [TestCase("DELETE FROM audit_log WHERE seq >= 6", 6, "is missing")]
    [TestCase("TRUNCATE audit_log", 1, "is missing")]
    [TestCase(
        "INSERT INTO audit_log SELECT 7, recorded_at, actor, origin, action, subject, detail, hash, hash FROM audit_log WHERE seq = 6",
        7, "was changed or put in")]
    [TestCase(
        "INSERT INTO audit_log SELECT 0, recorded_at, actor, origin, action, subject, detail, hash, hash FROM audit_log WHERE seq = 6",
        0, "was put in")]
    [TestCase("INSERT INTO audit_log SELECT 7, recorded_at, actor, origin, action, subject, detail, hash, audit_log_hash(hash, 7, "
        + "recorded_at, actor, origin, action, subject, detail) FROM audit_log WHERE seq = 6", 7, "was put in")]
    [TestCase("UPDATE audit_log SET detail = 'x', hash = audit_log_hash(previous_hash, seq, recorded_at, actor, origin, action, "
        + "subject, 'x') WHERE seq = 3", 4, "does not follow row 3")]
    [TestCase("UPDATE audit_log SET detail = 'x', hash = audit_log_hash(previous_hash, seq, recorded_at, actor, origin, action, "
        + "subject, 'x') WHERE seq = 6", 6, "the log's head knows another")]
    [TestCase("DELETE FROM audit_log_head", 7, "cannot be judged")]
    public async Task Tampering_is_found_and_the_first_bad_row_is_named(string tampering, long bad, string problem)
    {
        await AppendAsync(6);
        await TamperAsync(tampering);
        var verdict = await VerifyAsync();
        Assert.That((verdict.BadSeq, verdict.Problem), Is.EqualTo((bad, verdict.Problem)));
        Assert.That(verdict.Problem, Does.Contain(problem));
    }

    [Test]
    public async Task Changed_function_in_the_database_does_not_hide_a_changed_row()
    {
        await AppendAsync(2);
        await TamperAsync("""
            CREATE OR REPLACE FUNCTION audit_log_hash(previous_hash bytea, seq bigint, recorded_at timestamptz,
                                                      VARIADIC texts text[]) RETURNS bytea LANGUAGE sql AS 'SELECT previous_hash';
            UPDATE audit_log SET detail = 'x', hash = audit_log_hash(previous_hash, seq, recorded_at, actor) WHERE seq = 2
            """);
        Assert.That((await VerifyAsync()).BadSeq, Is.EqualTo(2));
    }

    [Test]
    public async Task Log_written_anew_from_end_to_end_is_found_by_a_head_that_was_kept_elsewhere()
    {
        await AppendAsync(3);
        var kept = new AuditHead(3, (await VerifyAsync()).LastHash);
        await AppendAsync(2);
        Assert.That((await VerifyAsync(kept)).Problem, Is.Null);
        await TamperAsync("""
            CREATE TABLE copy AS SELECT * FROM audit_log;
            TRUNCATE audit_log;
            UPDATE audit_log_head SET last_seq = 0, last_hash = decode(repeat('00', 32), 'hex');
            SET session_replication_role = origin;
            INSERT INTO audit_log (actor, origin, action, subject, detail)
            SELECT 'eve', origin, action, subject, detail
              FROM copy
             ORDER BY seq
            """);
        Assert.That((await VerifyAsync()).Problem, Is.Null, "whole in itself");
        Assert.That((await VerifyAsync(kept)).BadSeq, Is.EqualTo(3));
        await TamperAsync("TRUNCATE audit_log; UPDATE audit_log_head SET last_seq = 0, last_hash = decode(repeat('00', 32), 'hex')");
        Assert.That((await VerifyAsync(kept)).BadSeq, Is.EqualTo(1));
    }

    [Test]
    public async Task Not_even_its_owner_changes_it_while_its_triggers_are_on()
    {
        await AppendAsync(2);
        await using var connection = await _db.OpenConnectionAsync();
        foreach (var sql in new[]
        {
            "UPDATE audit_log SET detail = ''", "DELETE FROM audit_log", "DELETE FROM audit_log WHERE false", "TRUNCATE audit_log",
            "UPDATE audit_log_head SET last_seq = 1", "DELETE FROM audit_log_head", "TRUNCATE audit_log_head",
            "INSERT INTO audit_log_head VALUES (false, 1, '')",
        })
            Assert.That(async () => await connection.ExecuteAsync(sql),
                Throws.TypeOf<PostgresException>().With.Message.Contains("append only"), sql);
    }

    [Test]
    public async Task Given_numbers_times_and_hashes_are_not_taken()
    {
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("INSERT INTO audit_log VALUES (77, '2001-01-01Z', 'a', 'o', 'x', 's', 'd', 'h', 'h')");
        var verdict = await VerifyAsync();
        Assert.That((verdict.GoodRows, verdict.Problem), Is.EqualTo((1L, (string?)null)));
    }

    [Test]
    public async Task Writers_at_once_leave_a_chain_without_holes()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => AppendAsync(25))));
        await using (var connection = await _db.OpenConnectionAsync())
        {
            await using var lost = await connection.BeginTransactionAsync();
            await new AuditLog(_db).AppendAsync(new AuditEntry("a", "o", "x", "s", "d"), lost, default);
            await lost.RollbackAsync(); // leaves no hole
        }

        await AppendAsync(1);
        var verdict = await VerifyAsync();
        Assert.That((verdict.GoodRows, verdict.Problem), Is.EqualTo((201L, (string?)null)));
    }
}
