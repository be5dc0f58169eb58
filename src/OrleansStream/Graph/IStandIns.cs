using OrleansStream.Sinks;
using OrleansStream.Sources;

namespace OrleansStream.Graph;

/// <summary>Gives a graph other sources and sinks than those that its job writes down, by name, so that a test runs the job as it is.</summary>
internal interface IStandIns
{
    Source<T> For<T>(string name, Source<T> source);

    Sink<T> For<T>(string name, Sink<T> sink);
}
