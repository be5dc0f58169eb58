using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.Testing.Simulation;

/// <summary>A user's job as it is, but for its sinks, and those of its sources for which there are simulated records.</summary>
internal sealed class JobUnderTest(SimulatedRun run, Func<IServiceProvider, IStreamJob> make, SimulationOptions options) : SimulatedJob(run), IStandIns
{
    private readonly SortedSet<string> _problems = new(StringComparer.Ordinal);
    private readonly HashSet<string> _sources = new(StringComparer.Ordinal);
    private string _title = "a job";

    public override string Title => _title;

    public override JobArguments Arguments => options.Arguments ?? JobArguments.None;

    public override int MaxParallelism => options.MaxParallelism;

    public override TimeSpan? CheckpointInterval => options.CheckpointInterval;

    protected override IStandIns? StandIns => this;

    public override void Define(JobGraph graph)
    {
        var job = make(graph.Services);
        if (job is not DefinedJob) _title = job.GetType().Name;
        job.Define(graph, Arguments);
    }

    public override IServiceProvider NewServices()
    {
        if (options.ConfigureServices is not { } configure) return new ClockOnly(Run.Scheduler);
        var services = new ServiceCollection().AddSerializer().AddSingleton<TimeProvider>(Run.Scheduler);
        configure(services);
        return services.BuildServiceProvider();
    }

    /// <summary>Refuses a job that is wrong, or that the options do not fit, before anything runs.</summary>
    public void Check()
    {
        foreach (var problem in GraphCheck.Problems(NewGraph(NewServices()))) _problems.Add(problem);
        foreach (var name in options.Sources.Keys.Where(name => !_sources.Contains(name)))
            _problems.Add($"The options have records for a source '{name}', and the job has none of that name.{NearestName.Suggest(name, _sources)}");
        if (MaxParallelism is < 1 or > KeyGroups.LargestMaxParallelism) _problems.Add($"{nameof(MaxParallelism)} is {MaxParallelism}; it must be from 1 to {KeyGroups.LargestMaxParallelism}.");
        else if (options.Parallelism is { } parallelism && (parallelism < 1 || parallelism > MaxParallelism)) _problems.Add($"The parallelism is {parallelism}; it must be from 1 to {nameof(MaxParallelism)}, {MaxParallelism}.");
        if (_problems.Count > 0) throw new JobRefusedException($"The simulation of {Title} was refused:{string.Concat(_problems.Select(static problem => $"\n  - {problem}"))}");
    }

    public Source<T> For<T>(string name, Source<T> source)
    {
        // A name that is none is refused with the graph.
        if (name is null) return source;
        _sources.Add(name);
        if (options.Sources.TryGetValue(name, out var records))
        {
            if (records is SimulatedSource<T> typed) return new SimulatedInputSource<T>(Run, typed);
            _problems.Add($"From '{name}': it reads {TypeName.Of(typeof(T))}, and the options have records of {TypeName.Of(records.RecordType)} for it.");
        }
        else if (!source.IsReplayable)
        {
            _problems.Add($"From '{name}': it cannot be read again after a failure; give its records in {nameof(SimulationOptions)}.{nameof(SimulationOptions.Sources)}.");
        }

        return source;
    }

    public Sink<T> For<T>(string name, Sink<T> sink) => name is null ? sink : SinkOf<T>(name);

    /// <summary>What functions find that ask for nothing but the time.</summary>
    private sealed class ClockOnly(TimeProvider time) : IServiceProvider
    {
        public object? GetService(Type serviceType) => serviceType == typeof(TimeProvider) ? time : TestSerializers.Services.GetService(serviceType);
    }
}
