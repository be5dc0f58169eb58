using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using OrleansStream.Graph;
using OrleansStream.Testing;
using OrleansStream.Tests.Repository;

namespace OrleansStream.Tests.Operators;

/// <summary>The examples of the operator page: code blocks, each followed by a block with the results that it shows.</summary>
internal sealed partial class OperatorPage
{
    private const string Name = "OPERATORS.md";

    private readonly Type _compiled;

    private OperatorPage(IReadOnlyList<Example> examples, Type compiled)
    {
        Examples = examples;
        _compiled = compiled;
    }

    public IReadOnlyList<Example> Examples { get; }

    /// <summary>The text of the page.</summary>
    public static string Text => Tree.Text(Name);

    /// <summary>Reads the page and compiles all examples at once; errors have the page's line numbers.</summary>
    public static OperatorPage Load()
    {
        var examples = Example().Matches(Text).Select(static (match, index) => new Example(
            index, match.Groups["title"].Value.Trim(), match.Groups["code"].Value, match.Groups["results"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Text[..match.Groups["code"].Index].Count(static c => c == '\n') + 1)).ToList();
        return new OperatorPage(examples, Compile(examples));
    }

    /// <summary>Runs an example, and returns what it showed.</summary>
    public async Task<IReadOnlyList<string>> RunAsync(Example example, int parallelism)
    {
        var readings = new TestInput<Reading>();
        var limits = new TestInput<Limit>();
        var shown = new TestOutput<string>();
        var method = _compiled.GetMethod($"Example{example.Number}")!;
        void Define(JobGraph graph) => PageRecords.ShowIn(shown, () =>
        {
            var streams = new Dictionary<string, Func<object>> { ["readings"] = () => graph.From("readings", readings), ["limits"] = () => graph.From("limits", limits) };
            method.Invoke(null, [.. method.GetParameters().Select(parameter => streams[parameter.Name!]())]);
        });
        PageRecords.Feed(readings, limits);
        await using var harness = await JobHarness.StartAsync(Define, new HarnessOptions { Parallelism = parallelism });
        await harness.RunAsync();
        return [.. shown.Records.Select(static record => string.Create(CultureInfo.InvariantCulture, $"{record.Timestamp / 1000.0,6:0.000}  {record.Value}"))];
    }

    /// <summary>Writes what examples show into the page, where it says nothing yet.</summary>
    public async Task RecordAsync()
    {
        var text = Text;
        foreach (var example in Examples.Where(static example => example.Results.Count == 0))
        {
            var results = await RunAsync(example, 1);
            text = text.Replace($"{example.Code}```\n\n```text\n", $"{example.Code}```\n\n```text\n{string.Concat(results.Select(static line => line + '\n'))}", StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(Path.Combine(Tree.Root, Name), text);
    }

    private static Type Compile(IReadOnlyList<Example> examples)
    {
        // Examples that read no limits have no such source: a stream that nobody reads is refused.
        var methods = examples.Select(static example => $$"""
                public static void Example{{example.Number}}({{string.Join(", ", Streams.Where(stream => Regex.IsMatch(example.Code, $@"\b{stream.Name}\b")).Select(static stream => $"DataStream<{stream.Type}> {stream.Name}"))}})
                {
            #line {{example.Line}} "{{Name}}"
            {{example.Code}}
                }
            """);
        var source = $$"""
            using System;
            using System.Collections.Generic;
            using System.Linq;
            using System.Threading;
            using System.Threading.Tasks;
            {{string.Join('\n', typeof(JobGraph).Assembly.GetExportedTypes().Select(static type => type.Namespace).OfType<string>().Where(static space => space.StartsWith("OrleansStream", StringComparison.Ordinal)).Distinct().Select(static space => $"using {space};"))}}
            using OrleansStream.Tests.Operators;
            public static class Compiled
            {
            {{string.Join('\n', methods)}}
            }
            """;
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Append(typeof(OperatorPage).Assembly.Location).Distinct()
            .Select(static file => MetadataReference.CreateFromFile(file));
        var compilation = CSharpCompilation.Create(
            "operator-page", [CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview))], references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        using var bytes = new MemoryStream();
        var result = compilation.Emit(bytes);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(static d => d.Severity == DiagnosticSeverity.Error)));
        return Assembly.Load(bytes.ToArray()).GetType("Compiled")!;
    }

    private static readonly (string Name, string Type)[] Streams = [("readings", nameof(Reading)), ("limits", nameof(Limit))];

    [GeneratedRegex(@"^### (?<title>[^\n]+)\n(?:(?!^### |^```)[^\n]*\n)*?```csharp\n(?<code>.*?)```\n+```text\n(?<results>.*?)```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();
}

/// <summary>One example of the page.</summary>
/// <param name="Number">Its place.</param>
/// <param name="Title">The heading that it stands below.</param>
/// <param name="Code">What it does with the streams.</param>
/// <param name="Results">What it is said to show.</param>
/// <param name="Line">The page's line that the code begins in.</param>
internal sealed record Example(int Number, string Title, string Code, IReadOnlyList<string> Results, int Line);
