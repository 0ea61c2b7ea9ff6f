"""Python's clickhouse-connect against the embedded endpoint: python conformance.py PORT WRITER_PASSWORD ANALYST_PASSWORD"""

import datetime
import sys

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

port, writer_password, analyst_password = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def connect(user="sluice", password=writer_password, **options):
    return clickhouse_connect.get_client(host="127.0.0.1", port=port, username=user, password=password, **options)


def refused(code, call, *arguments):
    try:
        call(*arguments)
    except DatabaseError as error:
        assert f"Code: {code}." in str(error), error
        return
    raise AssertionError(f"no error {code}")


client = connect()
client.command("CREATE TABLE python (a Int64, s String, t DateTime64(3), f Array(Float64), n Nullable(String)) ENGINE = MergeTree ORDER BY a")
moment = datetime.datetime(2026, 1, 1, 12, 0, 0, 123000)
rows = [(a, f"x\n\n{a}", moment, [1.5, a], None if a % 2 else "q") for a in range(5000)]
assert client.insert("python", rows, column_names=["a", "s", "t", "f", "n"]).written_rows == 5000
assert client.query("SELECT * FROM python ORDER BY a LIMIT 3").result_rows == rows[:3]
assert client.query("SELECT s FROM python WHERE a = {a: Int64}", parameters={"a": 7}).result_rows == [("x\n\n7",)]
with client.query_row_block_stream("SELECT number FROM numbers(300000)") as stream:
    assert sum(len(block) for block in stream) == 300000
assert client.raw_query("SELECT 1 FORMAT CSV") == b"1\n"
refused(60, client.query, "SELECT * FROM missing")
refused(62, client.command, "SELECT 1; DROP TABLE python")

for compression in ["lz4", "zstd", "gzip", False]:
    compressing = connect(compress=compression)
    compressing.insert("python", rows[:10], column_names=["a", "s", "t", "f", "n"])
    assert len(compressing.query("SELECT * FROM python LIMIT 1000").result_rows) == 1000
    compressing.close()
assert client.command("SELECT count() FROM python") == 5040

form = connect(form_encode_query_params=True)
assert form.query("SELECT {s: String}", parameters={"s": "tab\t'quote' \\"}).result_rows == [("tab\t'quote' \\",)]

analyst = connect("analyst", analyst_password)
assert analyst.command("SELECT count() FROM python") == 5040
refused(497, analyst.query, "SELECT file('/etc/passwd')")
refused(164, analyst.command, "INSERT INTO python (a) VALUES (1)")
refused(516, connect, "analyst", "wrong")
client.command("DROP TABLE python")
print("ok")
