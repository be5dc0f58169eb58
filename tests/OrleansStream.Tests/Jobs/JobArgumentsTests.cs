using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Tests.Jobs;

public sealed class JobArgumentsTests
{
    [Theory]
    [InlineData("200ms", 200)]
    [InlineData("10s", 10_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("5m", 300_000)]
    [InlineData("5min", 300_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("0s", 0)]
    [InlineData("00:05:00", 300_000)]
    [InlineData("1.00:00:00", 86_400_000)]
    public void Durations_are_read(string text, long milliseconds) => Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), JobArguments.ParseDuration(text));

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("5 s")]
    [InlineData("-5s")]
    [InlineData("-00:00:05")]
    [InlineData("1e3s")]
    [InlineData("5S")]
    [InlineData(".5s")]
    [InlineData("5.s")]
    [InlineData("s")]
    [InlineData("1h30m")]
    [InlineData("99999999999d")]
    [InlineData("5s\n")]
    [InlineData("٥s")]
    public void What_is_no_duration_is_none(string text) => Assert.Null(JobArguments.ParseDuration(text));

    [Fact]
    public void A_value_that_is_no_duration_is_refused_by_name_with_examples()
    {
        var error = Assert.Throws<JobRefusedException>(() => Make(("window", "soon")).GetDuration("window", TimeSpan.Zero));

        Assert.Equal("Argument 'window' is 'soon', which is no duration; write for example 200ms, 10s, 5m, 1h or 1d.", error.Message);
        Assert.Equal(TimeSpan.FromHours(1), JobArguments.None.GetDuration("window", TimeSpan.FromHours(1)));
    }

    [Fact]
    public void Several_values_of_a_name_keep_their_order_and_are_refused_where_one_is_needed()
    {
        var arguments = Make(("input", "b.csv"), ("output", "o"), ("input", "a.csv"));

        Assert.Equal(["b.csv", "a.csv"], arguments.GetAll("input"));
        Assert.Equal(["input", "output"], arguments.Names);
        Assert.Contains("'input' is given 2 times", Assert.Throws<JobRefusedException>(() => arguments.Get("input")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_argument_is_refused_by_name() =>
        Assert.Equal("The job needs an argument 'input'.", Assert.Throws<JobRefusedException>(() => JobArguments.None.Require("input")).Message);

    [Theory]
    [InlineData("1,5")]
    [InlineData("NaN")]
    [InlineData("1e999")]
    [InlineData("ten")]
    public void What_is_no_finite_number_is_refused(string text) => Assert.Throws<JobRefusedException>(() => Make(("rate", text)).GetNumber("rate"));

    [Theory]
    [InlineData("1.5")]
    [InlineData("9223372036854775808")]
    [InlineData("1 000")]
    public void What_is_no_whole_number_is_refused(string text) => Assert.Throws<JobRefusedException>(() => Make(("n", text)).GetInteger("n"));

    [Fact]
    public void Numbers_are_read_whatever_the_machines_language()
    {
        Assert.Equal((1.5, -3L), (Make(("n", "1.5")).GetNumber("n"), Make(("n", "-3")).GetInteger("n")));
        Assert.Null(JobArguments.None.GetNumber("n"));
    }

    [Fact]
    public void Arguments_survive_the_history()
    {
        var arguments = JobArguments.FromMap(Make(("input", "b"), ("input", "a"), ("x", "")).ToMap());

        Assert.Equal(["b", "a"], arguments.GetAll("input"));
        Assert.Equal("", arguments.Get("x"));
    }

    [Theory]
    [InlineData("average-sensor-reading", " Did you mean 'average-sensor-readings'?")]
    [InlineData("paymets", " Did you mean 'payments'?")]
    [InlineData("x", " There are: average-sensor-readings, payments.")]
    public void The_nearest_name_is_offered_or_all_of_them(string name, string suggestion) =>
        Assert.Equal(suggestion, NearestName.Suggest(name, ["average-sensor-readings", "payments"]));

    [Fact]
    public void Where_there_are_no_names_none_is_offered() => Assert.Equal("", NearestName.Suggest("payments", []));

    private static JobArguments Make(params (string Name, string Value)[] values) => new(values.Select(static value => KeyValuePair.Create(value.Name, value.Value)));
}
