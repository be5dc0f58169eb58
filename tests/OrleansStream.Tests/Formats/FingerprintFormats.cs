using OrleansStream.Graph;
using OrleansStream.Sources;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Formats;

/// <summary>The fingerprint of a graph: when it changes, running jobs are refused their own checkpoints.</summary>
internal static class FingerprintFormats
{
    public static IEnumerable<RecordedFormat> All =>
    [
        new("v1/fingerprint.txt", "the fingerprint of graphs, or their description in the log", Write, static recorded => Assert.Equal(RecordedFormat.Lines(Write()), RecordedFormat.Lines(recorded))),
    ];

    private static byte[] Write()
    {
        var graph = new JobGraph(Wiring.Context().Services);
        var profiles = graph.From("profiles", Collections.From<RecordedProfile>([]))
            .WithTimestamps(static profile => profile.At, maxOutOfOrderness: TimeSpan.FromSeconds(1.5));
        profiles
            .KeyBy(static profile => profile.Name ?? "")
            .Window(OrleansStream.Windows.TumblingWindows.Of(TimeSpan.FromHours(1)))
            .Aggregate("average", new RecordedAverage(), static (average, profile) => new RecordedAverage(average.Count + 1, average.Sum + profile.Count), static average => average.Sum)
            .To("averages", new RecordingSink<OrleansStream.Windows.WindowResult<string, double>>());
        profiles.Select(static profile => profile.Name ?? "").KeyBy(static name => name).Process("count", static _ => new RecordedCounter()).To("counts", new RecordingSink<string>());
        return RecordedFormat.Lines([GraphDescription.Fingerprint(graph), .. GraphDescription.ToText(graph).TrimEnd('\n').Split('\n')]);
    }
}
