using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Tests.FileFormats;

public sealed class JsonLinesSinkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;
    private readonly Sink<Row> _sink;

    public JsonLinesSinkTests()
    {
        _path = _folder.In("out/result.jsonl");
        _sink = Files.JsonLinesOutput<Row>(_path);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Parts => _path + ".parts";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Parts_become_one_file_in_the_order_of_attempt_checkpoint_and_subtask()
    {
        await _sink.InitializeAsync(Cancellation);
        var late = await StageAsync(_sink, attempt: 2, number: 1, subtask: 0, "2-1-0");
        var tenth = await StageAsync(_sink, attempt: 1, number: 10, subtask: 0, "1-10-0");
        var other = await StageAsync(_sink, attempt: 1, number: 9, subtask: 1, "1-9-1");
        var first = await StageAsync(_sink, attempt: 1, number: 9, subtask: 0, "1-9-0 a", "1-9-0 b");
        await _sink.CommitAsync([other, first], Permit(1, 9), Cancellation);
        await _sink.CommitAsync([tenth], Permit(1, 10), Cancellation);
        await _sink.CommitAsync([late], Permit(2, 1), Cancellation);

        await _sink.FinishAsync(4, Permit(2, 1), Cancellation);

        Assert.Equal(["1-9-0 a", "1-9-0 b", "1-9-1", "1-10-0", "2-1-0"], Names(_path));
        Assert.DoesNotContain(Directory.GetFiles(Parts), f => Path.GetFileName(f).Contains('-'));
    }

    [Fact]
    public async Task What_earlier_attempts_staged_and_nobody_committed_goes_when_the_next_one_opens()
    {
        await _sink.InitializeAsync(Cancellation);
        var committed = await StageAsync(_sink, attempt: 1, number: 1, subtask: 0, "1-1-0");
        await _sink.CommitAsync([committed], Permit(1, 1), Cancellation);
        await StageAsync(_sink, attempt: 1, number: 2, subtask: 1, "1-2-1");
        await File.WriteAllTextAsync(Path.Combine(Parts, PartName.Writing(new SinkContext(new Attempt(1), new Incarnation(5), 1, 2), 3)), "half a li", Cancellation);
        var own = await StageAsync(_sink, attempt: 2, number: 1, subtask: 1, "2-1-1");
        Assert.Equal(4, Directory.GetFiles(Parts).Length);

        await using (await _sink.OpenAsync(new SinkContext(new Attempt(2), new Incarnation(6), 0, 2), Cancellation))
        {
            Assert.Equal(2, Directory.GetFiles(Parts).Length);
        }

        await _sink.CommitAsync([own], Permit(2, 1), Cancellation);
        await _sink.FinishAsync(2, Permit(2, 1), Cancellation);
        Assert.Equal(["1-1-0", "2-1-1"], Names(_path));
    }

    [Fact]
    public async Task Lines_are_camel_case_unescaped_and_keep_every_digit_of_a_number()
    {
        Row[] rows = [new("größe <\"é\"> 😀\n", 0.1 + 0.2, new DateTime(2013, 12, 2, 21, 0, 0, DateTimeKind.Utc)), new("", 1e-300, default)];
        await CommitAllAsync(_sink, rows);

        Assert.Equal(
            "{\"name\":\"größe <\\\"é\\\"> \\uD83D\\uDE00\\n\",\"averageCelsius\":0.30000000000000004,\"windowStart\":\"2013-12-02T21:00:00Z\"}\n" +
            "{\"name\":\"\",\"averageCelsius\":1E-300,\"windowStart\":\"0001-01-01T00:00:00\"}\n",
            File.ReadAllText(_path));
    }

    [Fact]
    public async Task What_is_written_can_be_read_again()
    {
        var rows = Enumerable.Range(0, 50_000).Select(i => new Row($"é{i}", i / 7.0, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(i))).ToArray();
        await CommitAllAsync(_sink, rows);

        Assert.Equal(rows.Select(r => $"{r}"), (await OrleansStream.Tests.Sources.Reading.AllAsync(Files.JsonLines<Row>(_path))).Records);
    }

    [Fact]
    public async Task Nothing_is_visible_before_the_commit_and_what_is_written_after_the_cut_belongs_to_the_next_part()
    {
        await _sink.InitializeAsync(Cancellation);
        await using var writer = await _sink.OpenAsync(Context(1, 0), Cancellation);
        Write(writer, "a");
        var preparing = writer.PrepareAsync(Id(1, 1), Cancellation);
        Write(writer, "b");
        var first = Pending(1, 1, 0, (await preparing)!);
        Assert.Empty(Visible());

        await _sink.CommitAsync([first], Permit(1, 1), Cancellation);

        Assert.Equal(["a"], Visible());
        var second = Pending(1, 2, 0, (await writer.PrepareAsync(Id(1, 2), Cancellation))!);
        Assert.Equal(["a"], Visible());
        await _sink.CommitAsync([second], Permit(1, 2), Cancellation);
        Assert.Equal(["a", "b"], Visible());
        Assert.Null(await writer.PrepareAsync(Id(1, 3), Cancellation));
    }

    [Fact]
    public async Task Large_output_reaches_the_disk_before_the_cut_but_is_not_visible()
    {
        await _sink.InitializeAsync(Cancellation);
        await using var writer = await _sink.OpenAsync(Context(1, 0), Cancellation);
        for (var i = 0; i < 2_000; i++) Write(writer, new string('x', 200));

        Assert.True(new FileInfo(Assert.Single(Directory.GetFiles(Parts, "*.writing"))).Length > 200_000);
        Assert.Empty(Visible());
    }

    [Fact]
    public async Task A_commit_may_be_repeated_and_goes_on_where_it_was_broken_off()
    {
        await _sink.InitializeAsync(Cancellation);
        var a = await StageAsync(_sink, 1, 1, 0, "a");
        var b = await StageAsync(_sink, 1, 1, 1, "b");
        await _sink.CommitAsync([a], Permit(1, 1), Cancellation);

        await _sink.CommitAsync([a, b], Permit(1, 1), Cancellation);
        await Files.JsonLinesOutput<Row>(_path).CommitAsync([a, b], Permit(2, 1), Cancellation);

        Assert.Equal(["a", "b"], Visible());
    }

    [Fact]
    public async Task Output_that_is_neither_staged_nor_committed_is_missed_by_name()
    {
        await _sink.InitializeAsync(Cancellation);
        var a = await StageAsync(_sink, 1, 1, 3, "a");
        foreach (var file in Directory.GetFiles(Parts, "*.staged")) File.Delete(file);

        var error = await Assert.ThrowsAsync<StreamException>(async () => await _sink.CommitAsync([a], Permit(1, 1), Cancellation));

        Assert.Contains("The output of subtask 3 at checkpoint 1-1 is lost", error.Message);
    }

    [Theory]
    [InlineData(".staged")]
    [InlineData(".jsonl")]
    public async Task A_part_that_was_cut_short_is_not_committed(string ending)
    {
        await _sink.InitializeAsync(Cancellation);
        var a = await StageAsync(_sink, 1, 1, 0, "a");
        if (ending == ".jsonl") await _sink.CommitAsync([a], Permit(1, 1), Cancellation);
        TemporaryFolder.Overwrite(Assert.Single(Directory.GetFiles(Parts, "*" + ending)), 0, [], length: 3);

        var error = await Assert.ThrowsAsync<StreamException>(async () => await _sink.CommitAsync([a], Permit(1, 1), Cancellation));

        Assert.Contains("has 3 bytes", error.Message);
    }

    [Fact]
    public async Task Nothing_is_committed_with_the_permit_of_an_earlier_checkpoint()
    {
        await _sink.InitializeAsync(Cancellation);
        var a = await StageAsync(_sink, 1, 2, 0, "a");

        await Assert.ThrowsAsync<StreamException>(async () => await _sink.CommitAsync([a], Permit(1, 1), Cancellation));

        Assert.Empty(Visible());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("../../../etc/passwd:3")]
    [InlineData("0000000001-0000000000000000001-00000-00000000000000aa.jsonl:3")]
    [InlineData("0000000001-0000000000000000002-00000-00000000000000aa.staged:3")]
    [InlineData("0000000001-0000000000000000001-00001-00000000000000aa.staged:3")]
    public async Task A_handle_that_does_not_name_the_part_of_its_output_is_refused(string handle)
    {
        await _sink.InitializeAsync(Cancellation);

        var error = await Assert.ThrowsAsync<StreamException>(async () => await _sink.CommitAsync([Pending(1, 1, 0, handle)], Permit(1, 9), Cancellation));

        Assert.Contains($"'{handle}'", error.Message);
    }

    [Fact]
    public async Task Another_opening_of_the_same_subtask_touches_neither_the_parts_nor_the_names_of_the_first()
    {
        await _sink.InitializeAsync(Cancellation);
        await using var one = await _sink.OpenAsync(Context(1, 0, incarnation: -1), Cancellation);
        Write(one, "one");
        var staged = Pending(1, 1, 0, (await one.PrepareAsync(Id(1, 1), Cancellation))!);
        Write(one, "one again");
        Write(one, new string('1', 200_000));
        await using (var two = await _sink.OpenAsync(Context(1, 0, incarnation: 7), Cancellation))
        {
            Write(two, "two");
            await two.PrepareAsync(Id(1, 1), Cancellation);
            Write(two, new string('2', 200_000));
        }

        var next = Pending(1, 2, 0, (await one.PrepareAsync(Id(1, 2), Cancellation))!);
        await _sink.CommitAsync([staged, next], Permit(1, 2), Cancellation);
        await _sink.FinishAsync(2, Permit(1, 2), Cancellation);

        Assert.Equal(["one", "one again", new string('1', 200_000)], Names(_path));
    }

    [Fact]
    public async Task A_writer_that_is_closed_takes_only_the_part_along_that_nobody_can_name()
    {
        await _sink.InitializeAsync(Cancellation);
        PendingOutput staged;
        await using (var writer = await _sink.OpenAsync(Context(1, 0), Cancellation))
        {
            Write(writer, "a");
            staged = Pending(1, 1, 0, (await writer.PrepareAsync(Id(1, 1), Cancellation))!);
            for (var i = 0; i < 2_000; i++) Write(writer, new string('x', 200));
        }

        Assert.Empty(Directory.GetFiles(Parts, "*.writing"));
        await _sink.CommitAsync([staged], Permit(1, 1), Cancellation);
        Assert.Equal(["a"], Visible());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public async Task A_number_that_json_cannot_hold_fails_for_good_with_its_field_and_leaves_a_writer_that_prepares_nothing(double number)
    {
        await _sink.InitializeAsync(Cancellation);
        await using var writer = await _sink.OpenAsync(Context(1, 2), Cancellation);
        Write(writer, "a");

        var error = Assert.ThrowsAny<StreamException>(() => writer.Write([new Row("b", number, default)], [0]));

        Assert.True(error.IsPermanent);
        Assert.Contains("Record 2 of subtask 2", error.Message);
        Assert.Contains("$.AverageCelsius", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Throws<StreamException>(() => Write(writer, "c"));
        await Assert.ThrowsAsync<StreamException>(async () => await writer.PrepareAsync(Id(1, 1), Cancellation));
        Assert.Empty(Directory.GetFiles(Parts, "*.staged"));
    }

    [Fact]
    public async Task An_input_without_records_makes_an_empty_file()
    {
        await _sink.InitializeAsync(Cancellation);
        await _sink.FinishAsync(0, Permit(1, 1), Cancellation);

        Assert.Equal("", File.ReadAllText(_path));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_job_is_not_finished_with_fewer_or_more_parts_than_it_committed(int outputs)
    {
        await _sink.InitializeAsync(Cancellation);
        await _sink.CommitAsync([await StageAsync(_sink, 1, 1, 0, "a"), await StageAsync(_sink, 1, 1, 1, "b")], Permit(1, 1), Cancellation);

        var error = await Assert.ThrowsAsync<StreamException>(async () => await _sink.FinishAsync(outputs, Permit(1, 1), Cancellation));

        Assert.Contains($"committed {outputs} parts, but", error.Message);
        Assert.False(File.Exists(_path));
        Assert.Equal(["a", "b"], Visible());
    }

    [Fact]
    public async Task Later_checkpoints_are_taken_back_and_a_belated_commit_does_not_bring_them_again()
    {
        await _sink.InitializeAsync(Cancellation);
        var kept = await StageAsync(_sink, 1, 1, 0, "kept");
        var taken = await StageAsync(_sink, 1, 2, 0, "taken");
        var staged = await StageAsync(_sink, 1, 2, 1, "staged");
        await _sink.CommitAsync([kept, taken], Permit(1, 2), Cancellation);

        Assert.True(_sink.CanWithdraw);
        await _sink.WithdrawAsync(Id(1, 1), new Attempt(3), Permit(1, 1), Cancellation);
        await _sink.WithdrawAsync(Id(1, 1), new Attempt(3), Permit(1, 1), Cancellation);

        Assert.Equal(["kept"], Visible());
        await Assert.ThrowsAsync<StreamException>(async () => await _sink.CommitAsync([staged], Permit(1, 2), Cancellation));
        await _sink.FinishAsync(1, Permit(2, 1), Cancellation);
        Assert.Equal(["kept"], Names(_path));
    }

    [Fact]
    public async Task A_withdrawal_that_comes_late_leaves_what_newer_attempts_have_written()
    {
        await _sink.InitializeAsync(Cancellation);
        var taken = await StageAsync(_sink, 1, 2, 0, "taken");
        await _sink.CommitAsync([taken], Permit(1, 2), Cancellation);
        var newer = await StageAsync(_sink, 2, 1, 0, "newer");
        await _sink.CommitAsync([newer], Permit(2, 1), Cancellation);

        await _sink.WithdrawAsync(Id(1, 1), before: new Attempt(2), Permit(1, 1), Cancellation);

        Assert.Equal(["newer"], Visible());
    }

    private List<string> Visible() => [.. Directory.GetFiles(Parts, "*.jsonl").Order(StringComparer.Ordinal).SelectMany(Names)];

    private static IEnumerable<string> Names(string path) => File.ReadAllLines(path).Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("name").GetString()!);

    private static CheckpointId Id(int attempt, long number) => new(new Attempt(attempt), number);

    private static CommitPermit Permit(int attempt, long number) => new(Id(attempt, number));

    private static SinkContext Context(int attempt, int subtask, long incarnation = 0xAA) => new(new Attempt(attempt), new Incarnation(incarnation), subtask, 4);

    private static PendingOutput Pending(int attempt, long number, int subtask, string handle) => new(subtask, Id(attempt, number), handle);

    private static void Write(SinkWriter<Row> writer, string name) => writer.Write([new Row(name, 0, default)], [0]);

    private static async Task<PendingOutput> StageAsync(Sink<Row> sink, int attempt, long number, int subtask, params string[] names)
    {
        await using var writer = await sink.OpenAsync(Context(attempt, subtask), Cancellation);
        foreach (var name in names) Write(writer, name);
        return Pending(attempt, number, subtask, (await writer.PrepareAsync(Id(attempt, number), Cancellation))!);
    }

    private static async Task CommitAllAsync(Sink<Row> sink, Row[] rows)
    {
        await sink.InitializeAsync(Cancellation);
        await using var writer = await sink.OpenAsync(Context(1, 0), Cancellation);
        writer.Write(rows, new long[rows.Length]);
        await sink.CommitAsync([Pending(1, 1, 0, (await writer.PrepareAsync(Id(1, 1), Cancellation))!)], Permit(1, 1), Cancellation);
        await sink.FinishAsync(1, Permit(1, 1), Cancellation);
    }

    internal sealed record Row(string Name, double AverageCelsius, DateTime WindowStart);
}
