using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Graph;

/// <summary>
/// A checked graph at one parallelism: its stages and the channels between their subtasks. Deterministic: every silo plans the same from the same code,
/// arguments and parallelism.
/// </summary>
internal sealed class JobPlan
{
    private JobPlan(string job, JobGraph graph, int parallelism, int maxParallelism, IReadOnlyList<PlannedStage> stages)
    {
        Job = job;
        Graph = graph;
        Parallelism = parallelism;
        MaxParallelism = maxParallelism;
        Stages = stages;
        Fingerprint = GraphDescription.Fingerprint(graph);
    }

    public string Job { get; }

    public JobGraph Graph { get; }

    public int Parallelism { get; }

    public int MaxParallelism { get; }

    public IReadOnlyList<PlannedStage> Stages { get; }

    /// <summary>Differs when the graph does: operators, names, types, windows, state.</summary>
    public string Fingerprint { get; }

    public IEnumerable<SubtaskId> Subtasks => Stages.SelectMany(static stage => Enumerable.Range(0, stage.Parallelism).Select(index => new SubtaskId(stage.Index, index)));

    /// <summary>Defines, checks and plans a job.</summary>
    /// <exception cref="JobRefusedException">The graph is wrong; the message has every problem with its place.</exception>
    public static JobPlan Create(string job, IStreamJob definition, JobArguments arguments, int parallelism, int maxParallelism, IServiceProvider services)
    {
        var graph = new JobGraph(services);
        definition.Define(graph, arguments);
        return Create(job, graph, parallelism, maxParallelism);
    }

    /// <summary>Checks and plans a job that is defined already.</summary>
    /// <param name="job">The job's name.</param>
    /// <param name="graph">What it does.</param>
    /// <param name="parallelism">How many subtasks a stage has.</param>
    /// <param name="maxParallelism">How many key groups there are.</param>
    /// <param name="channelWindow">The most envelopes on a channel that are sent and not processed: the same on all silos.</param>
    /// <exception cref="JobRefusedException">The graph is wrong; the message has every problem with its place.</exception>
    public static JobPlan Create(string job, JobGraph graph, int parallelism, int maxParallelism, int channelWindow = PlannedStage.ChannelWindow)
    {
        var problems = GraphCheck.Problems(graph).ToList();
        if (maxParallelism is < 1 or > KeyGroups.LargestMaxParallelism) problems.Add($"maxParallelism is {maxParallelism}; it must be from 1 to {KeyGroups.LargestMaxParallelism}.");
        else if (parallelism < 1 || parallelism > maxParallelism) problems.Add($"parallelism is {parallelism}; it must be from 1 to maxParallelism, {maxParallelism}.");
        if (problems.Count > 0) throw new JobRefusedException($"Job '{job}' was refused:{string.Concat(problems.Select(static problem => $"\n  - {problem}"))}");
        return new JobPlan(job, graph, parallelism, maxParallelism, Divide(graph, parallelism, channelWindow));
    }

    /// <summary>Gives every node a stage: its input's, when that is one forward edge; else one of its own.</summary>
    private static List<PlannedStage> Divide(JobGraph graph, int parallelism, int channelWindow)
    {
        var stages = new List<PlannedStage>();
        var stageOf = new Dictionary<Node, PlannedStage>();
        foreach (var node in graph.Nodes)
        {
            PlannedStage stage;
            if (node.Inputs is [{ Partitioning: Partitioning.Forward } only])
            {
                stage = stageOf[only.From.Owner];
            }
            else
            {
                stage = new PlannedStage(stages.Count, node, parallelism, channelWindow);
                stages.Add(stage);
            }

            stage.Add(node);
            stageOf.Add(node, stage);
        }

        foreach (var stage in stages)
        {
            foreach (var edge in stage.Head.Inputs) stage.AddInput(edge, stageOf[edge.From.Owner]);
        }

        return stages;
    }
}

/// <summary>Operators that run together, as a number of subtasks.</summary>
internal sealed class PlannedStage(int index, Node head, int parallelism, int channelWindow = PlannedStage.ChannelWindow)
{
    /// <summary>The most envelopes on a channel that are sent and not processed, unless a plan says otherwise.</summary>
    public const int ChannelWindow = 6;

    private readonly HashSet<Node> _nodes = [];
    private readonly List<(Edge Edge, PlannedStage From, int FirstChannel)> _inputs = [];
    private readonly Dictionary<Edge, PlannedStage> _below = [];

    public int Index => index;

    /// <summary>The name of the head: the stage's name in messages and files.</summary>
    public string Name => head.Name;

    public Node Head => head;

    public int Parallelism => parallelism;

    public IReadOnlyCollection<Node> Nodes => _nodes;

    public IEnumerable<PlannedStage> Below => _below.Values.Distinct();

    public IEnumerable<PlannedStage> Above => _inputs.Select(static input => input.From).Distinct();

    public bool Contains(Node node) => _nodes.Contains(node);

    public void Add(Node node) => _nodes.Add(node);

    public void AddInput(Edge edge, PlannedStage from)
    {
        var first = _inputs.Sum(static input => ChannelsOf(input.Edge, input.From));
        _inputs.Add((edge, from, first));
        from._below.Add(edge, this);
    }

    /// <summary>The channels by which one subtask of this stage writes an edge.</summary>
    public OutputChannel[] OpenChannels(Edge edge, SubtaskContext context)
    {
        var below = _below[edge];
        var first = below._inputs.Find(input => input.Edge == edge).FirstChannel;
        var channels = edge.Partitioning == Partitioning.Forward
            ? [new OutputChannel(context.Id, new SubtaskId(below.Index, context.Id.Index), first, channelWindow)]
            : Enumerable.Range(0, below.Parallelism)
                .Select(to => new OutputChannel(context.Id, new SubtaskId(below.Index, to), first + context.Id.Index, channelWindow))
                .ToArray();
        context.Outputs.AddRange(channels);
        return channels;
    }

    /// <summary>The channels that one subtask of this stage reads, in the order of their numbers.</summary>
    public InputChannel[] InputChannels(int subtask)
    {
        var channels = new List<InputChannel>();
        for (var edge = 0; edge < _inputs.Count; edge++)
        {
            var (input, from, _) = _inputs[edge];
            if (input.Partitioning == Partitioning.Forward) channels.Add(new InputChannel(new SubtaskId(from.Index, subtask), edge, channelWindow));
            else channels.AddRange(Enumerable.Range(0, from.Parallelism).Select(upper => new InputChannel(new SubtaskId(from.Index, upper), edge, channelWindow)));
        }

        return [.. channels];
    }

    private static int ChannelsOf(Edge edge, PlannedStage from) => edge.Partitioning == Partitioning.Forward ? 1 : from.Parallelism;
}
