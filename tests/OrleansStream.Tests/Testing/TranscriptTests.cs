using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Testing;

public sealed class TranscriptTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("orleansstream-transcripts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_transcript_feeds_a_job_and_says_what_is_expected()
    {
        await Read(
            """{"job": "sum", "about": "each record is answered with the sum of its key"}""",
            """{"record": {"key": "a", "value": 1}, "time": 10}""",
            """{"record": {"key": "b", "value": 5}, "time": 20}""",
            """{"expect": [{"record": {"key": "b", "value": 5}, "time": 20}, {"record": {"key": "a", "value": 1}}]}""",
            """{"restore": 3}""",
            """{"record": {"key": "a", "value": 2}, "time": 30}""",
            """{"watermark": 30}""",
            """{"watermarkOf": "sum", "is": 30}""",
            """{"expect": {"record": {"key": "a", "value": 3.0}, "time": 30}}""",
            """{"end": true}""").RunEveryWayAsync(Job);
    }

    [Fact]
    public async Task After_a_crash_what_was_not_saved_comes_again()
    {
        await Read(
            """{"job": "sum"}""",
            """{"record": {"key": "a", "value": 1}, "time": 10}""",
            """{"checkpoint": true}""",
            """{"expect": {"record": {"key": "a", "value": 1}}}""",
            """{"record": {"key": "a", "value": 2}, "time": 30}""",
            """{"expect": {"record": {"key": "a", "value": 3}}}""",
            """{"crash": true}""",
            """{"comment": "nothing was saved since"}""",
            """{"record": {"key": "a", "value": 0}, "time": 40}""",
            """{"expect": [{"record": {"key": "a", "value": 3}, "time": 30}, {"record": {"key": "a", "value": 3}, "time": 40}], "inOrder": true}""").RunEveryWayAsync(Job);
    }

    [Theory]
    [InlineData("""{"expect": [{"record": {"key": "a", "value": 2}}]}""", "expected, and did not come:\n  {\"record\":{\"key\": \"a\", \"value\": 2}}\ncame, and was not expected:\n  {\"record\":{\"key\":\"a\",\"value\":1},\"time\":10}")]
    [InlineData("""{"expect": [{"record": {"key": "a", "value": 1}, "time": 11}]}""", "did not come")]
    [InlineData("""{"expect": []}""", "came, and was not expected")]
    [InlineData("""{"watermark": 5}""", "nobody expected what came out")]
    [InlineData("""{"record": 7, "watermark": 5}""", "this one has record and watermark")]
    [InlineData("""{"recrod": 7}""", "this one has none")]
    [InlineData("""{"record": 7, "input": "other"}""", "no input 'other'")]
    [InlineData("""{"record": 7}""", "could not be converted")]
    [InlineData("""{"late": 1, "operator": "sum"}""", "late records: expected 1, found 0")]
    [InlineData("""{"watermarkOf": "sun", "is": 1}""", "no operator 'sun'")]
    public async Task A_line_that_does_not_hold_is_reported_with_its_file_and_number(string line, string problem)
    {
        var transcript = Read("""{"job": "sum"}""", """{"record": {"key": "a", "value": 1}, "time": 10}""", "", line);

        var error = await Assert.ThrowsAsync<TranscriptException>(() => transcript.RunAsync(Job));
        Assert.StartsWith($"{transcript.Path}(4): ", error.Message);
        Assert.Contains(problem, error.Message);
    }

    [Fact]
    public async Task Records_in_another_order_fail_where_the_order_is_asked_for()
    {
        string[] lines =
        [
            """{"job": "sum"}""", """{"record": {"key": "a", "value": 1}, "time": 10}""", """{"record": {"key": "a", "value": 1}, "time": 20}""",
            """{"expect": [{"record": {"key": "a", "value": 2}}, {"record": {"key": "a", "value": 1}}]}""",
        ];
        await Read(lines).RunAsync(Job);
        var error = await Assert.ThrowsAsync<TranscriptException>(() => Read([.. lines[..3], lines[3][..^1] + ", \"inOrder\": true}"]).RunAsync(Job));
        Assert.Contains("in another order", error.Message);
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("[1]")]
    [InlineData("""{"record": 1}""")]
    public void A_file_that_is_no_transcript_is_refused(string line) => Assert.Contains(".jsonl(1): ", Assert.Throws<TranscriptException>(() => Read(line)).Message);

    [Fact]
    public void A_folder_without_transcripts_is_refused() => Assert.Contains("there is no transcript", Assert.Throws<TranscriptException>(() => Transcript.ReadFolder(_folder)).Message);

    private static TranscriptJob Job() => TranscriptJob.Of<Amount, Amount>(static (graph, input, output) => graph
        .From("in", input).KeyBy(static amount => amount.Key).Process("sum", static _ => new Summing()).To("out", output));

    private Transcript Read(params string[] lines)
    {
        var path = Path.Combine(_folder, "case.jsonl");
        File.WriteAllLines(path, lines);
        return Transcript.ReadFolder(_folder).Single();
    }

    [GenerateSerializer]
    internal sealed record Amount([property: Id(0)] string Key, [property: Id(1)] double Value);

    private sealed class Summing : KeyedFunction<string, Amount, Amount>
    {
        private static readonly ValueState<double> Sum = new("sum");

        public override IReadOnlyList<StateDeclaration> States => [Sum];

        public override void Process(in Amount record, ref KeyedContext<string, Amount> context)
        {
            var sum = context.Get(Sum) + record.Value;
            context.Set(Sum, sum);
            context.Emit(new Amount(context.Key, sum));
        }
    }
}
