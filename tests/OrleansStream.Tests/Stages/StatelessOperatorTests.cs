using OrleansStream.Functions;
using OrleansStream.Stages;

namespace OrleansStream.Tests.Stages;

public sealed class StatelessOperatorTests
{
    private readonly SubtaskContext _context = Wiring.Context();
    private readonly Remembering<int> _results = new();
    private readonly Remembering<DeadLetter<int>> _letters = new();

    [Fact]
    public void Select_keeps_times_and_order()
    {
        Make("select").Give((1, 10), (2, 20));

        Assert.Equal(["10@10", "20@20"], _results.All);
    }

    [Fact]
    public void Where_keeps_what_holds()
    {
        Make("where").Give((1, 10), (2, 20), (4, 40));

        Assert.Equal(["2@20", "4@40"], _results.All);
    }

    [Fact]
    public void SelectMany_gives_each_result_the_time_of_its_record()
    {
        Make("many").Give((0, 5), (2, 10), (1, 20));

        Assert.Equal(["2@10", "2@10", "1@20"], _results.All);
    }

    [Theory]
    [InlineData("select")]
    [InlineData("where")]
    [InlineData("many")]
    public void A_record_that_fails_ends_the_attempt_with_its_place_and_cause(string kind)
    {
        var error = Assert.Throws<FunctionException>(() => Make(kind).Give((1, 10), (13, 20), (2, 30)));

        Assert.Equal(
            "Job 'payments', stage 'score', operator 'score', subtask 0, event time 1970-01-01T00:00:00.020Z: the function threw FormatException: unlucky", error.Message);
        Assert.IsType<FormatException>(error.InnerException);
        Assert.False(error.IsPermanent);
    }

    [Theory]
    [InlineData("select", "10@10,40@40")]
    [InlineData("where", "4@40")]
    [InlineData("many", "1@10,4@40,4@40,4@40,4@40")]
    public void A_record_that_fails_goes_to_the_dead_letters_and_its_neighbours_go_on(string kind, string expected)
    {
        Make(kind, OnError.DeadLetter).Give((13, 5), (1, 10), (13, 20), (13, 30), (4, 40), (13, 50));

        Assert.Equal(expected, string.Join(',', _results.All));
        Assert.Equal([5, 20, 30, 50], _letters.Records.Select(static letter => letter.At));
        Assert.All(_letters.Values, static letter => Assert.Equal(("score", 13, null, "FormatException: unlucky"), (letter.Operator, letter.Record, letter.Key, letter.Error)));
        Assert.Equal(4, _context.Counters.DeadLetters);
    }

    [Fact]
    public void A_sequence_that_throws_half_way_leaves_nothing_behind()
    {
        var many = new SelectManyOperator<int, int>(HalfWay, new Output<int>([_results]), Wiring.Failures(_context, OnError.DeadLetter, _letters)) { Name = "many" };
        many.Give((1, 10), (13, 20), (2, 30));

        Assert.Equal(["1@10", "2@30"], _results.All);
        Assert.Single(_letters.Values);
    }

    [Theory]
    [InlineData("select")]
    [InlineData("where")]
    [InlineData("many")]
    public void A_watermark_goes_to_results_and_dead_letters_behind_the_records(string kind)
    {
        var made = Make(kind, OnError.DeadLetter);
        made.Give((4, 10), (13, 11));
        made.OnWatermark(10);

        Assert.Equal("|10", _results.All[^1]);
        Assert.Equal("|10", _letters.All[^1]);
    }

    [Fact]
    public void What_the_engine_throws_below_is_never_taken_for_the_functions_fault()
    {
        var broken = new Broken();
        var select = new SelectOperator<int, int>(static n => n, new Output<int>([broken]), Wiring.Failures(_context, OnError.DeadLetter, _letters)) { Name = "select" };

        Assert.Throws<InvariantException>(() => select.Give([.. Enumerable.Range(0, 3000).Select(static n => (n, (long)n))]));
        Assert.Empty(_letters.Values);
    }

    [Fact]
    public void More_records_than_an_output_gathers_arrive_in_order_and_once()
    {
        Make("select").Give([.. Enumerable.Range(20, 5000).Select(static n => (n, (long)n))]);

        Assert.Equal(Enumerable.Range(20, 5000).Select(static n => n * 10), _results.Values);
    }

    private Operator<int> Make(string kind, OnError onError = OnError.Fail)
    {
        var output = new Output<int>([_results]);
        var failures = Wiring.Failures(_context, onError, _letters);
        return kind switch
        {
            "select" => new SelectOperator<int, int>(static n => Lucky(n) * 10, output, failures) { Name = "select" },
            "where" => new WhereOperator<int>(static n => Lucky(n) % 2 == 0, output, failures) { Name = "where" },
            _ => new SelectManyOperator<int, int>(static n => Enumerable.Repeat(Lucky(n), n), output, failures) { Name = "many" },
        };
    }

    private static int Lucky(int n) => n == 13 ? throw new FormatException("unlucky") : n;

    private static IEnumerable<int> HalfWay(int n)
    {
        yield return n;
        Lucky(n);
    }

    /// <summary>Fails once, so that whoever took the failure for its own would go on.</summary>
    private sealed class Broken : Operator<int>
    {
        private bool _hasFailed;

        [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
        public Broken() => Name = "broken";

        public override void OnRecords(Records<int> records)
        {
            if (_hasFailed) return;
            _hasFailed = true;
            throw new InvariantException("below");
        }

        public override void OnWatermark(long watermark)
        {
        }
    }
}
