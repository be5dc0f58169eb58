using OrleansStream.Graph;
using OrleansStream.Jobs;

namespace OrleansStream.Testing;

/// <summary>A job that a test writes down as a lambda.</summary>
internal sealed class DefinedJob(Action<JobGraph> define) : IStreamJob
{
    public void Define(JobGraph graph, JobArguments args) => define(graph);
}
