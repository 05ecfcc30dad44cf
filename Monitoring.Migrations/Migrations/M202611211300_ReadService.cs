using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>What the read service needs of its own: a word when an event changes, and the key that seals its cursors.</summary>
[Migration(202611211300, "Event changes are announced; a key for cursors")]
public sealed class ReadService : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE FUNCTION announce_security_event_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        BEGIN
            PERFORM pg_notify('security_event_changes', NEW.seq::text);
            RETURN NULL;
        END $$;
        COMMENT ON FUNCTION announce_security_event_change() IS 'Tells listeners of the channel security_event_changes the number of a new change, once it is committed.';
        CREATE TRIGGER announce_security_event_change AFTER INSERT ON security_event_changes
            FOR EACH ROW EXECUTE FUNCTION announce_security_event_change();

        -- Made here, because the read service's account cannot write; 244 random bits without any extension.
        CREATE TABLE cursor_key (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            key      bytea   NOT NULL
        );
        COMMENT ON TABLE cursor_key IS 'Seals the cursors of lists, so that every process of the read service knows its own and those of the others, also after a restart.';
        INSERT INTO cursor_key (key) VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP TABLE cursor_key;
        DROP TRIGGER announce_security_event_change ON security_event_changes;
        DROP FUNCTION announce_security_event_change();
        """);
}
