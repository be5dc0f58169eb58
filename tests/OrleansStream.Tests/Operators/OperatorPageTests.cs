using System.Reflection;
using OrleansStream.Graph;
using OrleansStream.Tests.Repository;

namespace OrleansStream.Tests.Operators;

/// <summary>
/// To add an operator: write its example with an empty block of results into OPERATORS.md, run this class with RECORD_OPERATORS=1, which fills in the blocks that are empty, and
/// read whether they are right.
/// </summary>
public sealed class OperatorPageTests
{
    private static readonly OperatorPage Page = OperatorPage.Load();

    public static TheoryData<string> Titles => [.. Page.Examples.Select(static example => example.Title)];

    [Theory]
    [MemberData(nameof(Titles))]
    public async Task An_example_of_the_page_shows_what_the_page_says(string title)
    {
        var example = Page.Examples.Single(example => example.Title == title);

        Assert.Equal(example.Results, await Page.RunAsync(example, 1));
        foreach (var parallelism in new[] { 2, 3 }) Assert.Equal(example.Results.Order(StringComparer.Ordinal), (await Page.RunAsync(example, parallelism)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_example_says_what_it_shows()
    {
        if (Environment.GetEnvironmentVariable("RECORD_OPERATORS") == "1") await Page.RecordAsync();
        Assert.Empty(OperatorPage.Load().Examples.Where(static example => example.Results.Count == 0).Select(static example => example.Title));
    }

    [Fact]
    public void Every_heading_has_an_example()
    {
        var headings = OperatorPage.Text.Split('\n').Where(static line => line.StartsWith("### ", StringComparison.Ordinal)).Select(static line => line[4..].Trim()).ToList();

        Assert.Equal(headings, Page.Examples.Select(static example => example.Title));
        Assert.Equal(headings.Count, headings.Distinct().Count());
    }

    [Fact]
    public void The_functions_of_the_page_are_those_that_run() =>
        Assert.Contains(Tree.Text("tests/OrleansStream.Tests/Operators/PageFunctions.cs").Split("namespace OrleansStream.Tests.Operators;\n\n")[1], OperatorPage.Text);

    [Fact]
    public void Every_operator_of_a_stream_is_on_the_page()
    {
        // Whatever a stream can be asked for by its public methods is shown on the page by its name.
        var operators = typeof(JobGraph).Assembly.GetExportedTypes()
            .Where(static type => type.Namespace is "OrleansStream.Graph" && type.Name.Contains("Stream", StringComparison.Ordinal))
            .SelectMany(static type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(static method => !method.IsSpecialName)
            .Select(static method => method.Name).Distinct().Order(StringComparer.Ordinal);

        var missing = operators.Where(static name => !OperatorPage.Text.Contains($".{name}(", StringComparison.Ordinal) && !OperatorPage.Text.Contains($".{name}<", StringComparison.Ordinal));
        Assert.True(!missing.Any(), $"Not on the operator page: {string.Join(", ", missing)}");
    }
}
