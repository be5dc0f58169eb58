using System.Text;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Tests.Sources;

namespace OrleansStream.Tests.FileFormats;

public sealed class CsvSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("lf", "a,b\n1,2\n3,4\n")]
    [InlineData("crlf", "a,b\r\n1,2\r\n3,4\r\n")]
    [InlineData("cr", "a,b\r1,2\r3,4\r")]
    [InlineData("no final newline", "a,b\n1,2\n3,4")]
    [InlineData("no final newline, crlf", "a,b\r\n1,2\r\n3,4")]
    [InlineData("byte order mark", "\uFEFFa,b\n1,2\n3,4\n")]
    [InlineData("blank lines", "\n\na,b\n\n1,2\n\n\r\n3,4\n\n\n")]
    [InlineData("quoted", "\"a\",\"b\"\n\"1\",\"2\"\n3,\"4\"\n")]
    public async Task Rows_are_the_same_under_every_line_ending_and_quoting(string name, string text)
    {
        var read = await Reading.CheckEveryRestartAsync(Files.Csv(_folder.Write(name + ".csv", text), row => $"{row.GetString("a")}|{row.GetString("b")}"));

        Assert.Equal(["1|2", "3|4"], read.Records);
    }

    [Fact]
    public async Task Quoted_line_breaks_separators_quotes_and_multibyte_text_survive_a_restart_at_every_row()
    {
        const string Text = "naïve,text\r\nä,\"one\r\ntwo\"\r\n\r\n€,\"a \"\"quote\"\", a comma\"\n😀,\"\n\"\r\n\"\",\"\"\r\né,last";
        var source = Files.Csv(_folder.Write("tricky.csv", Text), row => $"{row.Line}:{row.GetString("naïve")}={row.GetString("text")}");

        var read = await Reading.CheckEveryRestartAsync(source);

        Assert.Equal(["2:ä=one\r\ntwo", "5:€=a \"quote\", a comma", "6:😀=\n", "8:=", "9:é=last"], read.Records);
    }

    [Fact]
    public async Task A_file_of_many_blocks_restarts_at_any_row_with_the_same_lines_and_records()
    {
        var text = new StringBuilder("n,text\r\n");
        for (var i = 0; i < 20_000; i++) text.Append(i).Append(",\"").Append('é', i % 60).Append(i % 7 == 0 ? "\r\n" : "").Append("\"\r\n");
        var source = Files.Csv(_folder.Write("big.csv", text.ToString()), row => $"{row.Line}:{row.GetInt64("n")}:{row.GetString("text").Length}");
        var split = Assert.Single(await source.DiscoverAsync(TestContext.Current.CancellationToken));
        var unbroken = await Reading.SplitAsync(source, split, []);
        Assert.Equal(20_000, unbroken.Records.Count);

        foreach (var k in new[] { 1, 77, 4_000, 9_999, 19_999, 20_000 })
        {
            var first = await Reading.SplitAsync(source, split, [], limit: k, reads: 1);
            var second = await Reading.SplitAsync(source, split, first.Offset, limit: 333);
            Assert.Equal(unbroken.Records, [.. first.Records, .. second.Records]);
        }
    }

    [Fact]
    public async Task A_row_knows_its_file_columns_and_types()
    {
        var path = _folder.Write("room 7.csv", "timestamp;value;count;price;empty\n2013-12-02 21:15:00;73.96732207;-9;0.10;\n");
        var source = Files.Csv(
            path,
            row => (row.FileNameWithoutExtension, row.GetDateTimeUtc("timestamp"), row.GetDouble("value"), row.GetInt64("count"), row.GetDecimal("price"), row.IsEmpty("empty"), row.File == path),
            new CsvOptions { Separator = ';' });

        var read = await Reading.AllAsync(source);

        Assert.Equal([$"{("room 7", new DateTime(2013, 12, 2, 21, 15, 0, DateTimeKind.Utc), 73.96732207, -9L, 0.10m, true, true)}"], read.Records);
    }

    [Theory]
    [InlineData("2013-12-02 21:15:00", "2013-12-02T21:15:00.0000000Z")]
    [InlineData("2013-12-02T21:15:00.125", "2013-12-02T21:15:00.1250000Z")]
    [InlineData("2013-12-02T21:15:00Z", "2013-12-02T21:15:00.0000000Z")]
    [InlineData("2013-12-02T21:15:00+02:00", "2013-12-02T19:15:00.0000000Z")]
    [InlineData("2013-12-02", "2013-12-02T00:00:00.0000000Z")]
    public async Task Times_are_utc(string text, string expected)
    {
        var read = await Reading.AllAsync(Files.Csv(_folder.Write("t.csv", $"t\n{text}\n"), row => row.GetDateTimeUtc("t").ToString("O")));

        Assert.Equal([expected], read.Records);
    }

    [Theory]
    [InlineData("t", "99999-01-01 00:00:00", "is not a time between the years 1 and 9999")]
    [InlineData("t", "9999-12-31T23:59:59-01:00", "is not a time between the years 1 and 9999")]
    [InlineData("t", "02.12.2013", "of the form 2013-12-02 21:15:00")]
    [InlineData("f", "2013-12-02", "of the form 'dd.MM.yyyy'")]
    [InlineData("d", "\"1,5\"", "holds '1,5', which is not a number (written with a point")]
    [InlineData("d", "NaN", "is not a finite number")]
    [InlineData("d", "Infinity", "is not a finite number")]
    [InlineData("d", "1e999", "is not a finite number")]
    [InlineData("d", "", "is empty and so is not a number")]
    [InlineData("m", "1.5e3", "is not a decimal number")]
    [InlineData("m", "0.00000000000000000000000000001", "at most 28 digits")]
    [InlineData("i", "9223372036854775808", "is not a whole number between")]
    [InlineData("i", "1.0", "is not a whole number between")]
    public async Task A_field_of_the_wrong_form_fails_the_job_with_file_line_column_and_reason(string kind, string field, string reason)
    {
        var path = _folder.Write("bad.csv", $"x,v\nfine,\nbad,{field}\n");
        var source = Files.Csv(path, row => row.GetString("x") == "fine" ? "" : kind switch
        {
            "t" => $"{row.GetDateTimeUtc("v")}",
            "f" => $"{row.GetDateTimeUtc("v", "dd.MM.yyyy")}",
            "d" => $"{row.GetDouble("v")}",
            "m" => $"{row.GetDecimal("v")}",
            _ => $"{row.GetInt64("v")}",
        });

        var error = await Assert.ThrowsAsync<BadRecordException>(() => Reading.AllAsync(source));

        Assert.StartsWith($"{path}, line 3, column 2: column 'v' ", error.Message);
        Assert.Contains(reason, error.Message);
        Assert.True(error.IsPermanent);
    }

    [Fact]
    public async Task Bad_rows_go_to_the_side_output_in_order_and_a_restart_between_them_loses_and_repeats_none()
    {
        const string Text = "n,s\n1,ok\nx,\"not a number\"\n2,\"text\" after\n3,stray \" quote\n4\n5,6,7\n8,\"two\nlines\"\n9,last";
        var path = _folder.Write("bad.csv", Text);

        var read = await Reading.CheckEveryRestartAsync(Files.Csv(path, row => $"{row.GetInt64("n")}", new CsvOptions { BadRecords = BadRecords.SideOutput }));

        Assert.Equal(["1", "8", "9"], read.Records);
        var bad = await BadAsync(path, new CsvOptions { BadRecords = BadRecords.SideOutput });
        Assert.Equal([3, 4, 5, 6, 7], bad.Select(b => b.Line));
        Assert.Equal([1, null, null, null, null], bad.Select(b => b.Column));
        Assert.Equal("x,\"not a number\"", bad[0].Text);
        Assert.Contains("text follows the closing quote", bad[1].Reason);
        Assert.Contains("a quote stands inside a field", bad[2].Reason);
        Assert.Contains("the row has 1 fields, the header has 2", bad[3].Reason);
        Assert.Contains("the row has 3 fields, the header has 2", bad[4].Reason);
    }

    [Fact]
    public async Task After_a_quote_that_is_never_closed_reading_goes_on_at_the_next_line()
    {
        var path = _folder.Write("open.csv", "n,s\r\n1,a\r\n2,\"open\"\"\r\n3,b\r\n\r\n5,c\r\n");

        var read = await Reading.CheckEveryRestartAsync(Files.Csv(path, row => $"{row.GetInt64("n")}", new CsvOptions { BadRecords = BadRecords.SideOutput }));

        Assert.Equal(["1", "3", "5"], read.Records);
        var bad = await BadAsync(path, new CsvOptions { BadRecords = BadRecords.SideOutput });
        Assert.Equal([(3L, "2,\"open\"\"")], bad.Select(b => (b.Line, b.Text)));
        Assert.Contains("never closed", bad[0].Reason);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(400_000)]
    public async Task A_row_beyond_the_limit_is_bad_however_the_blocks_fall(int restOfFile)
    {
        var options = new CsvOptions { BadRecords = BadRecords.SideOutput, MaxRowBytes = 20 };
        var filler = string.Concat(Enumerable.Repeat("8,fill\n", restOfFile / 7));
        var path = _folder.Write("long.csv", $"n,s\n1,{new string('a', 18)}\n2,{new string('b', 19)}\n3,\"{new string('c', 400_000)}\n5,\"open\n{filler}6,x");

        var bad = await BadAsync(path, options);

        Assert.Equal([(3L, 21), (4L, 21), (5L, 7)], bad.Select(b => (b.Line, b.Text.Length)));
        Assert.All(bad, b => Assert.Contains(b.Line < 5 || restOfFile > 0 ? "more than 20 bytes" : "never closed", b.Reason));
        if (restOfFile == 0) await Reading.CheckEveryRestartAsync(Files.Csv(path, row => row.GetString("n"), options));
    }

    [Fact]
    public async Task A_field_that_is_no_utf8_is_a_bad_record()
    {
        var path = _folder.Write("latin1.csv", Encoding.Latin1.GetBytes("n,s\n1,café\n2,tea\n"));

        var bad = Assert.Single(await BadAsync(path, new CsvOptions { BadRecords = BadRecords.SideOutput }, readText: true));

        Assert.Equal((2, 2), (bad.Line, bad.Column));
        Assert.Contains("is not UTF-8 text", bad.Reason);
    }

    [Fact]
    public async Task A_column_that_is_not_there_refuses_the_job_and_names_those_that_are()
    {
        var source = Files.Csv(_folder.Write("a.csv", "time,value\n1,2\n"), row => row.GetDouble("Value"), new CsvOptions { BadRecords = BadRecords.SideOutput });

        var error = await Assert.ThrowsAsync<JobRefusedException>(() => Reading.AllAsync(source));

        Assert.Contains("has no column 'Value'; its columns are 'time', 'value'", error.Message);
    }

    [Theory]
    [InlineData("", "is empty: a CSV file begins with a header row")]
    [InlineData("\uFEFF", "is empty: a CSV file begins with a header row")]
    [InlineData("\n\n", "is empty: a CSV file begins with a header row")]
    [InlineData("a,b,a\n", "names the column 'a' twice (fields 1 and 3)")]
    [InlineData("a,\"b\n1,2\n", "a quoted field is never closed")]
    public async Task A_file_without_a_proper_header_is_refused_when_splits_are_found(string text, string reason)
    {
        var source = Files.Csv(_folder.Write("h.csv", text), row => row.Line);

        var error = await Assert.ThrowsAsync<JobRefusedException>(async () => await source.DiscoverAsync(TestContext.Current.CancellationToken));

        Assert.Contains("h.csv", error.Message);
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public async Task A_header_alone_is_a_split_without_records() =>
        Assert.Empty((await Reading.CheckEveryRestartAsync(Files.Csv(_folder.Write("h.csv", "a,b"), row => row.Line))).Records);

    [Fact]
    public async Task An_error_of_the_mapping_itself_names_file_and_line_and_is_no_bad_record()
    {
        var source = Files.Csv<long>(_folder.Write("m.csv", "a\n1\n"), _ => throw new InvalidOperationException("a bug"), new CsvOptions { BadRecords = BadRecords.SideOutput });

        var error = await Assert.ThrowsAsync<StreamException>(() => Reading.AllAsync(source));

        Assert.Contains("m.csv, line 2: InvalidOperationException: a bug", error.Message);
    }

    private static async Task<List<BadRecord>> BadAsync(string path, CsvOptions options, bool readText = false)
    {
        var source = Files.Csv(path, row => readText ? row.GetString("s") : $"{row.GetInt64("n")}", options);
        var split = Assert.Single(await source.DiscoverAsync(TestContext.Current.CancellationToken));
        await using var reader = await source.OpenAsync(split, default, TestContext.Current.CancellationToken);
        var output = new SourceOutput<string>(1_000_000);
        Assert.Equal(ReadStatus.Ended, reader.Read(output));
        Assert.All(output.Side, s => Assert.Equal(Files.Bad.Name, s.Output));
        return [.. output.Side.Cast<SideRecord<BadRecord>>().Select(s => s.Value)];
    }
}
