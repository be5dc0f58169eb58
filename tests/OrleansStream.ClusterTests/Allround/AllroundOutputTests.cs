using System.Text.Json;
using OrleansStream.ClusterTests.Silo;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Allround;

/// <summary>The check of the committed files is given what it must not let pass.</summary>
public sealed class AllroundOutputTests : IDisposable
{
    private static readonly AllroundPlan Plan = new(Events: 100, Keys: 7);

    private readonly TestFolder _folder = new();

    private AllroundOutput Output => new(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Files_as_they_must_be_hold_and_the_command_says_so()
    {
        Write(Lines());

        var found = Output.Check(events: 100, keys: 7);
        Assert.Equal((true, 100, Plan.Summary), (found.Holds, found.Lines, found.Summary));
        var said = (await CommandRun.OfAsync("check-allround", "--output", _folder.Path, "--events", "100", "--keys", "7")).Succeeded().Output;
        Assert.Contains("0 violations", said, StringComparison.Ordinal);
        Assert.Contains("has 100 lines: every record once, in the order of its key.", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lost", "line 25, key 3: expected record 4, saw record 5 (one was lost, or is out of order).")]
    [InlineData("doubled", "line 26, key 3: expected record 5, saw record 4 (doubled, or out of order).")]
    [InlineData("swapped", "line 25, key 3: expected record 4, saw record 5 (one was lost, or is out of order).")]
    [InlineData("last lost", "key 1: expected 15 records, the last is 14.")]
    [InlineData("cut", "line 25 is no record: '{\"key\":3'.")]
    [InlineData("strange", "line 25: there is no key 8.")]
    public async Task A_line_that_is_lost_or_doubled_or_out_of_order_or_cut_is_found(string fault, string saying)
    {
        var lines = Lines();
        Assert.Equal(Line(new Beat(3, 4)), lines[24]);
        if (fault == "lost") (lines[24], lines[31]) = (lines[31], lines[30]);
        if (fault == "doubled") lines.Insert(25, lines[24]);
        if (fault == "swapped") (lines[24], lines[31]) = (lines[31], lines[24]);
        if (fault == "last lost") lines.RemoveAt(99);
        if (fault == "cut") lines[24] = "{\"key\":3";
        if (fault == "strange") lines[24] = Line(new Beat(8, 1));
        Write(lines);

        var found = Output.Check();

        Assert.False(found.Holds);
        Assert.Contains(found.Problems, problem => problem.EndsWith(saying, StringComparison.Ordinal));
        var said = await CommandRun.OfAsync("check-allround", "--output", _folder.Path);
        Assert.Equal(1, said.ExitCode);
        Assert.Contains(saying, said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_problems_are_counted_and_the_first_are_told()
    {
        Write([.. Lines().AsEnumerable().Reverse()]);

        var found = Output.Check();

        Assert.Equal(10, found.Problems.Count);
        Assert.Equal(Plan.Events, found.ProblemCount);
    }

    [Theory]
    [InlineData("none", "There is no ")]
    [InlineData("empty", "has no line; the job writes one.")]
    [InlineData("two", "has more than one line; the job writes one.")]
    [InlineData("cut", "is no summary")]
    [InlineData("fewer windows", "expected Summary { Events = 100, Keys = 7, Violations = 0")]
    [InlineData("violation", "Violations = 1")]
    [InlineData("other events", "is of 101 events, not of 100.")]
    public void A_summary_that_is_missing_or_wrong_is_found(string fault, string saying)
    {
        Write(Lines());
        var right = JsonSerializer.Serialize(Plan.Summary, JsonSerializerOptions.Web);
        if (fault == "none") File.Delete(Output.Summary);
        else
        {
            File.WriteAllLines(Output.Summary, fault switch
            {
                "empty" => [],
                "two" => [right, right],
                "cut" => [right[..20]],
                "fewer windows" => [JsonSerializer.Serialize(Plan.Summary with { SlidingWindows = Plan.Summary.SlidingWindows - 1 }, JsonSerializerOptions.Web)],
                "violation" => [JsonSerializer.Serialize(Plan.Summary with { Violations = 1 }, JsonSerializerOptions.Web)],
                _ => [JsonSerializer.Serialize(new AllroundPlan(101, 7).Summary, JsonSerializerOptions.Web)],
            });
        }

        var found = Output.Check(events: 100, keys: 7);

        Assert.False(found.Holds);
        Assert.Contains(found.Problems, problem => problem.Contains(saying, StringComparison.Ordinal));
    }

    private static List<string> Lines() => [.. Enumerable.Range(0, (int)Plan.Events).Select(static n => Line(Plan.BeatOf(n)))];

    private static string Line(Beat beat) => $"{{\"key\":{beat.Key},\"sequence\":{beat.Sequence}}}";

    private void Write(List<string> lines)
    {
        File.WriteAllLines(Output.Records, lines);
        File.WriteAllLines(Output.Summary, [JsonSerializer.Serialize(Plan.Summary, JsonSerializerOptions.Web)]);
    }
}
