using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace OrleansStream.Tests.Repository;

/// <summary>The files that belong to the repository: everything below its root but what builds and tools leave behind.</summary>
internal static class Tree
{
    private static readonly HashSet<string> LeftBehind = ["bin", "obj", ".git", ".vs", ".idea", ".vscode", "artifacts", "TestResults", "BenchmarkDotNet.Artifacts", "node_modules"];

    /// <summary>Where a cluster of this machine keeps what it writes.</summary>
    private static readonly string LocalCluster = Path.Combine("deploy", "local", "run");

    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every file, as a path from the root with forward slashes, sorted.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Walk(Root).Select(static path => Path.GetRelativePath(Root, path).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    /// <summary>The C# files below a folder.</summary>
    public static IEnumerable<string> Code(string folder) =>
        Files.Where(file => file.StartsWith($"{folder}/", StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal));

    public static string Text(string file) => File.ReadAllText(Path.Combine(Root, file));

    /// <summary>A C# file as its compiler reads it: words in comments and strings are not code.</summary>
    public static SyntaxNode Syntax(string file) => CSharpSyntaxTree.ParseText(Text(file), new CSharpParseOptions(LanguageVersion.Latest)).GetRoot();

    /// <summary>Where a piece of a file is.</summary>
    public static string At(string file, SyntaxNodeOrToken found) => $"{file}:{found.GetLocation()!.GetLineSpan().StartLinePosition.Line + 1}";

    /// <summary>Fails with one line per offence.</summary>
    public static void RequireNone(IEnumerable<string> offences, string rule)
    {
        var all = offences.ToList();
        Assert.True(all.Count == 0, $"{rule}\n{string.Join('\n', all)}");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OrleansStream.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException($"OrleansStream.sln is in no folder above {AppContext.BaseDirectory}.");
    }

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            // A worktree of git has a file of that name.
            if (Path.GetFileName(file) != ".git") yield return file;
        }

        foreach (var below in Directory.EnumerateDirectories(folder))
        {
            var name = Path.GetFileName(below);
            if (LeftBehind.Contains(name) || name.EndsWith(".checkpoints", StringComparison.Ordinal) || below.EndsWith(LocalCluster, StringComparison.Ordinal)) continue;
            foreach (var file in Walk(below)) yield return file;
        }
    }
}
