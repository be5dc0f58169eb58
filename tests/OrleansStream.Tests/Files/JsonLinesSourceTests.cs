using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Tests.Sources;

namespace OrleansStream.Tests.FileFormats;

public sealed class JsonLinesSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("lf", "{\"name\":\"a\",\"value\":1}\n{\"name\":\"b\",\"value\":2.5}\n")]
    [InlineData("crlf", "{\"name\":\"a\",\"value\":1}\r\n{\"name\":\"b\",\"value\":2.5}\r\n")]
    [InlineData("no final newline", "{\"name\":\"a\",\"value\":1}\n{\"name\":\"b\",\"value\":2.5}")]
    [InlineData("byte order mark", "\uFEFF{\"name\":\"a\",\"value\":1}\n{\"name\":\"b\",\"value\":2.5}\n")]
    [InlineData("blank lines", "\r\n\n{\"name\":\"a\",\"value\":1}\n  \t\r\n{\"name\":\"b\",\"value\":2.5}\n\n\n")]
    [InlineData("other case, unknown members", "{\"Name\":\"a\",\"value\":1,\"more\":[{}]}\n{\"name\":\"b\",\"VALUE\":2.5}")]
    public async Task Values_are_the_same_under_every_line_ending(string name, string text)
    {
        var read = await Reading.CheckEveryRestartAsync(Files.JsonLines<Item>(_folder.Write(name + ".jsonl", text)));

        Assert.Equal([$"{new Item("a", 1)}", $"{new Item("b", 2.5)}"], read.Records);
    }

    [Fact]
    public async Task Multibyte_text_survives_a_restart_at_every_line()
    {
        var path = _folder.Write("m.jsonl", "\uFEFF\"naïve\"\r\n\r\n\"€ 😀\"\n\"a\\nb\u2028c\"\n\"\"");

        Assert.Equal(["naïve", "€ 😀", "a\nb\u2028c", ""], (await Reading.CheckEveryRestartAsync(Files.JsonLines<string>(path))).Records);
    }

    [Fact]
    public async Task A_file_of_many_blocks_restarts_anywhere_with_the_same_records()
    {
        var lines = Enumerable.Range(0, 20_000).Select(i => $"{i}{new string('é', i % 90)}").ToList();
        var source = Files.JsonLines<string>(_folder.Write("big.jsonl", string.Concat(lines.Select(l => $"\"{l}\"\r\n"))));
        var split = Assert.Single(await source.DiscoverAsync(TestContext.Current.CancellationToken));

        foreach (var k in new[] { 0, 1, 77, 4_000, 9_999, 19_999, 20_000 })
        {
            var first = await Reading.SplitAsync(source, split, [], limit: Math.Max(k, 1), reads: k == 0 ? 0 : 1);
            var second = await Reading.SplitAsync(source, split, first.Offset, limit: 333);
            Assert.Equal(lines, [.. first.Records, .. second.Records]);
        }
    }

    [Theory]
    [InlineData("{\"name\":\"a\",\"value\":\"1\"}", "line 2, column 24: $.value: a number is wanted here")]
    [InlineData("{\"name\":\"a\",\"value\":1e999}", "line 2, column 26: $.value: the number is not a finite one")]
    [InlineData("{\"name\":\"a\",\"value\":NaN}", "line 2, column 21: $.value: 'N' is an invalid start of a value")]
    [InlineData("{\"name\":\"a\"}", "was missing required properties including: 'value'")]
    [InlineData("{\"name\":null,\"value\":1}", "doesn't allow null values")]
    [InlineData("{\"name\":\"a\",\"value\":1,\"value\":2}", "Duplicate property 'value'")]
    [InlineData("{\"name\":\"a\",\"value\":1} x", "line 2, column 24: 'x' is invalid after a single JSON value")]
    [InlineData("{\"name\":\"a\",\"val", "line 2, column 17: ")]
    [InlineData("null", "line 2, column 1: the line is null where a Item is wanted")]
    public async Task A_malformed_line_fails_the_job_with_file_line_column_field_and_reason(string line, string reason)
    {
        var path = _folder.Write("bad.jsonl", $"{{\"name\":\"fine\",\"value\":0}}\n{line}\n");

        var error = await Assert.ThrowsAsync<BadRecordException>(() => Reading.AllAsync(Files.JsonLines<Item>(path)));

        Assert.StartsWith($"{path}, line 2", error.Message);
        Assert.Contains(reason, error.Message);
        Assert.DoesNotContain("BytePositionInLine", error.Message);
    }

    [Fact]
    public async Task Bad_lines_go_to_the_side_output_in_order_and_a_restart_between_them_loses_and_repeats_none()
    {
        var path = _folder.Write("bad.jsonl", "1\nx\n\"2\"\n3\n\n4 5\n1.5\n6");

        var read = await Reading.CheckEveryRestartAsync(Files.JsonLines<int>([path], new JsonLinesOptions { BadRecords = BadRecords.SideOutput }));

        Assert.Equal(["1", "3", "6"], read.Records);
        Assert.Equal(["x", "\"2\"", "4 5", "1.5"], (await BadAsync(path)).Select(b => b.Text));
        Assert.Equal([2L, 3, 6, 7], (await BadAsync(path)).Select(b => b.Line));
    }

    [Theory]
    [InlineData(21)]
    [InlineData(300_000)]
    [InlineData(3_000_000)]
    [InlineData(6_000_000)]
    public async Task A_line_beyond_the_limit_is_bad_however_the_blocks_fall(int length)
    {
        var options = new JsonLinesOptions { BadRecords = BadRecords.SideOutput, MaxLineBytes = 20 };
        var path = _folder.Write("long.jsonl", $"\"{new string('a', 18)}\"\r\n{new string('1', length)}\n\"{new string('b', 18)}\"\n{new string('2', length)}");

        var read = await Reading.CheckEveryRestartAsync(Files.JsonLines<string>([path], options));

        Assert.Equal([new string('a', 18), new string('b', 18)], read.Records);
        var bad = await BadAsync(path, options);
        Assert.Equal([(2L, new string('1', 20)), (4L, new string('2', 20))], bad.Select(b => (b.Line, b.Text)));
        Assert.All(bad, b => Assert.Contains("more than 20 bytes", b.Reason));
        var error = await Assert.ThrowsAsync<BadRecordException>(() => Reading.AllAsync(Files.JsonLines<string>([path], options with { BadRecords = BadRecords.Fail })));
        Assert.Contains("line 2: the line has more than 20 bytes", error.Message);
    }

    [Fact]
    public async Task A_line_of_just_the_limit_is_read_when_its_line_break_is_cut_in_two_by_a_block()
    {
        var path = _folder.Write("edge.jsonl", new string('\n', FileSplits.BlockBytes - 21) + $"\"{new string('a', 18)}\"\r\n1\n");

        Assert.Equal([new string('a', 18)], (await Reading.AllAsync(Files.JsonLines<string>([path], new JsonLinesOptions { MaxLineBytes = 20, BadRecords = BadRecords.SideOutput }))).Records);
    }

    [Fact]
    public async Task One_read_takes_in_a_bounded_part_of_a_file_that_has_no_records()
    {
        var path = _folder.Write("blank.jsonl", new string('\n', 6_000_000));
        var source = Files.JsonLines<int>(path);
        var split = Assert.Single(await source.DiscoverAsync(TestContext.Current.CancellationToken));
        await using var reader = await source.OpenAsync(split, default, TestContext.Current.CancellationToken);
        var output = new SourceOutput<int>(10);

        Assert.Equal(ReadStatus.More, reader.Read(output));
        Assert.Equal(ReadStatus.Ended, reader.Read(output));
        Assert.Equal(6_000_001, FileOffset.Decode(reader.SaveOffset().Span, path, 6_000_000).Line);
    }

    [Fact]
    public async Task An_empty_file_is_a_split_without_records() =>
        Assert.Empty((await Reading.CheckEveryRestartAsync(Files.JsonLines<int>(_folder.Write("e.jsonl", "")))).Records);

    [Fact]
    public async Task Text_that_is_no_utf8_is_a_bad_record() =>
        Assert.Equal(1, Assert.Single(await BadAsync(_folder.Write("l.jsonl", Encoding.Latin1.GetBytes("\"café\"")), type: typeof(string))).Line);

    [Fact]
    public async Task A_given_contract_and_given_options_are_used()
    {
        var path = _folder.Write("u.jsonl", "{\"NAME_X\":\"a\"}\n");
        var options = new JsonLinesOptions { Serializer = new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseUpper } };

        Assert.Equal([$"{new Other("a")}"], (await Reading.AllAsync(Files.JsonLines<Other>([path], options))).Records);
        Assert.Equal([$"{new Other("a")}"], (await Reading.AllAsync(Files.JsonLines([path], type: OtherContext.Default.Other))).Records);
    }

    private static async Task<List<BadRecord>> BadAsync(string path, JsonLinesOptions? options = null, Type? type = null)
    {
        options ??= new JsonLinesOptions { BadRecords = BadRecords.SideOutput };
        return type == typeof(string) || options.MaxLineBytes < 100 ? await BadAsync(Files.JsonLines<string>([path], options)) : await BadAsync(Files.JsonLines<int>([path], options));
    }

    private static async Task<List<BadRecord>> BadAsync<T>(Source<T> source)
    {
        var split = Assert.Single(await source.DiscoverAsync(TestContext.Current.CancellationToken));
        await using var reader = await source.OpenAsync(split, default, TestContext.Current.CancellationToken);
        var output = new SourceOutput<T>(1000);
        while (reader.Read(output) != ReadStatus.Ended)
        {
        }

        return [.. output.Side.Cast<SideRecord<BadRecord>>().Select(s => s.Value)];
    }

    private sealed record Item(string Name, double Value);

    internal sealed record Other(string NameX);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseUpper)]
[JsonSerializable(typeof(JsonLinesSourceTests.Other))]
internal sealed partial class OtherContext : JsonSerializerContext;
