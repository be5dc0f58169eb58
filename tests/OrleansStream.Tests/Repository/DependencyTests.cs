using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace OrleansStream.Tests.Repository;

/// <summary>Who may know whom inside the engine, and who may know Orleans' runtime.</summary>
public sealed class DependencyTests
{
    private const string Engine = "src/OrleansStream";

    /// <summary>Each folder and those it may use; what is not here is refused. Grains and their ports may use hosting and diagnostics besides.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Sources"] = ["Functions", "Jobs", "Stages", "State"],
        ["Sinks"] = ["Jobs", "Stages"],
        ["Time"] = ["Stages", "State"],
        ["Functions"] = ["Jobs", "Sources", "Stages", "State", "Time"],
        ["Windows"] = ["Functions", "Jobs", "Sources", "Stages", "State", "Time"],
        ["Changes"] = ["Functions", "State", "Time"],
        ["Joins"] = ["Functions", "Stages", "State", "Time", "Windows"],
        ["Exchange"] = ["Jobs", "Stages", "State"],
        ["State"] = ["Checkpoints", "Jobs"],
        ["Stages"] = ["Checkpoints", "Exchange", "Functions", "Graph", "Jobs", "Sinks", "Sources", "State", "Time"],
        ["Graph"] = ["Changes", "Exchange", "Functions", "Jobs", "Joins", "Patterns", "Sinks", "Sources", "Stages", "State", "Time", "Windows"],
        ["Patterns"] = ["Stages", "State", "Time"],
        ["Checkpoints"] = ["Graph", "Jobs", "Sinks", "Sources", "Stages", "State", "Time"],
        ["Jobs"] = ["Checkpoints", "Graph", "Sinks", "Sources", "Stages"],
        ["Diagnostics"] = ["Checkpoints", "Jobs", "Stages"],
        ["Hosting"] = ["Checkpoints", "Diagnostics", "Graph", "Jobs", "Stages", "State"],
    };

    /// <summary>What only a silo has. The names are in scope everywhere, so that using directives say nothing.</summary>
    private static readonly HashSet<string> RuntimeNames =
    [
        "Grain", "IGrain", "IGrainFactory", "IClusterClient", "IGrainContext", "IGrainWithStringKey", "IGrainWithGuidKey", "IGrainWithIntegerKey", "IGrainBase", "GrainId", "GrainReference",
        "IManagementGrain", "IClusterMembershipService", "ILocalSiloDetails", "SiloAddress", "SiloStatus", "ISiloLifecycle", "ISiloBuilder", "ILifecycleParticipant", "ServiceLifecycleStage",
        "PlacementStrategy", "IPlacementDirector", "RequestContext", "GrainService", "IPersistentState", "Reentrant", "ReentrantAttribute",
    ];

    /// <summary>Types that decide and nothing else: no waiting, no clock, no I/O.</summary>
    private static readonly string[] Deciders =
    [
        "Stages/Subtask.cs", "Stages/StatelessOperators.cs", "Exchange/BarrierAligner.cs", "Exchange/InputChannel.cs", "Exchange/OutputChannel.cs", "Exchange/PartitionWriter.cs",
        "Time/WatermarkMerge.cs", "Time/SplitWatermarks.cs", "Windows/WindowSchedule.cs", "Windows/WindowOperator.cs", "Windows/PaneStarts.cs", "Windows/PaneFolds.cs", "Windows/PaneLine.cs", "Windows/SlidingOperator.cs",
        "Windows/GeneralWindowOperator.cs", "Windows/GeneralWindowOperator.Sessions.cs", "Windows/GeneralWindowOperator.Time.cs", "Functions/KeyedScope.cs", "Sources/RateLimit.cs",
        "Patterns/PatternAutomaton.cs", "Patterns/PatternCompiler.cs", "Patterns/PatternOperator.cs",
        "Checkpoints/CheckpointProtocol.cs", "Checkpoints/TakeoverProtocol.cs", "Checkpoints/AppendProtocol.cs", "Checkpoints/EndFinder.cs", "Checkpoints/Retention.cs",
        "Jobs/RecoveryPlan.cs", "Jobs/RestartStrategy.cs", "Jobs/MoveRequests.cs", "Jobs/Placement.cs", "Jobs/HandOverPlan.cs", "Jobs/Leadership.cs", "Graph/JobPlan.cs", "Graph/GraphCheck.cs",
    ];

    /// <summary>Clocks, threads and I/O.</summary>
    private static readonly HashSet<string> Outside = ["TimeProvider", "DateTime", "Stopwatch", "File", "Directory", "Thread", "ThreadPool", "ILogger", "ICheckpointStore"];

    [Fact]
    public void Folders_use_only_those_they_may() => Tree.RequireNone(
        from file in Tree.Code(Engine)
        let folder = file.Split('/')[2]
        where Allowed.ContainsKey(folder)
        from used in Used(file)
        where used.Folder != folder && !Allowed[folder].Contains(used.Folder) && !(IsOfTheRuntime(file) && used.Folder is "Hosting" or "Diagnostics")
        select $"{used.At}: {folder} uses {used.Folder}",
        "Folder dependencies point in the directions that the table of this test allows.");

    [Fact]
    public void Every_folder_is_in_the_table_and_every_arrow_of_the_table_is_used()
    {
        var folders = Tree.Code(Engine).Select(static file => file.Split('/')).Where(static parts => parts.Length > 3).Select(static parts => parts[2]).ToHashSet();
        Assert.Equal(folders.Order(), Allowed.Keys.Order());
        var used = Tree.Code(Engine).SelectMany(static file => Used(file).Select(used => $"{file.Split('/')[2]} -> {used.Folder}")).ToHashSet();

        Tree.RequireNone(
            Allowed.SelectMany(static pair => pair.Value.Select(to => $"{pair.Key} -> {to}")).Where(arrow => !used.Contains(arrow)),
            "An arrow that nobody uses leaves the table.");
    }

    [Fact]
    public void Only_grains_their_ports_and_hosting_know_the_runtime() => Tree.RequireNone(
        from file in Tree.Code("src")
        where !IsOfTheRuntime(file)
        from name in Tree.Syntax(file).DescendantNodes().OfType<SimpleNameSyntax>()
        where RuntimeNames.Contains(name.Identifier.ValueText)
        select $"{Tree.At(file, name)}: {name.Identifier.ValueText}",
        "Orleans' runtime is known in Hosting/, GrainStorage/, *Grain.cs and Grain*Port*.cs only.");

    [Fact]
    public void What_decides_does_not_act()
    {
        Tree.RequireNone(Deciders.Where(static file => !Tree.Files.Contains($"{Engine}/{file}")), "Every file of the list is there.");
        Tree.RequireNone(
            from decider in Deciders
            let file = $"{Engine}/{decider}"
            from node in Tree.Syntax(file).DescendantNodes()
            where node is AwaitExpressionSyntax || (node is SimpleNameSyntax name && Outside.Contains(name.Identifier.ValueText))
            select $"{Tree.At(file, node)}: {node}",
            "A type that decides has no await, clock or I/O.");
    }

    /// <summary>The engine's folders that a file names: in using directives, and where it qualifies a name by its folder.</summary>
    private static IEnumerable<(string Folder, string At)> Used(string file)
    {
        var root = Tree.Syntax(file);
        foreach (var directive in root.DescendantNodes().OfType<UsingDirectiveSyntax>())
        {
            var parts = directive.NamespaceOrType.ToString().Split('.');
            if (parts is ["OrleansStream", var folder, ..] && Allowed.ContainsKey(folder)) yield return (folder, Tree.At(file, directive));
        }

        foreach (var name in root.DescendantNodes().Where(static node => node is QualifiedNameSyntax or MemberAccessExpressionSyntax && !node.Ancestors().OfType<UsingDirectiveSyntax>().Any()))
        {
            var first = name switch
            {
                QualifiedNameSyntax { Left: IdentifierNameSyntax left } => left.Identifier.ValueText,
                // A property may have a folder's name; a namespace is followed by a type or its member and stands for no value of the class.
                MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax left, Parent: MemberAccessExpressionSyntax } => left.Identifier.ValueText,
                _ => null,
            };
            if (first is not null && Allowed.ContainsKey(first) && !IsMember(root, first)) yield return (first, Tree.At(file, name));
        }
    }

    private static bool IsMember(Microsoft.CodeAnalysis.SyntaxNode root, string name) =>
        root.DescendantNodes().Any(node => node is PropertyDeclarationSyntax property && property.Identifier.ValueText == name);

    private static bool IsOfTheRuntime(string file)
    {
        var name = file.Split('/')[^1];
        return file.Split('/') is ["src", _, "Hosting" or "GrainStorage", ..]
            || name.Split('.')[0].EndsWith("Grain", StringComparison.Ordinal)
            || (name.StartsWith("Grain", StringComparison.Ordinal) && name.Contains("Port", StringComparison.Ordinal));
    }
}
