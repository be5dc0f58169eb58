using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Tests.Checkpoints;

public sealed class RetentionTests
{
    [Fact]
    public void The_only_checkpoint_is_never_dropped()
    {
        Assert.Empty(Retention.Plan([]).Dropped);
        Assert.Empty(Retention.Plan([Ref(1, 1)], 1).Dropped);
    }

    [Fact]
    public void The_newest_stay_and_the_oldest_go()
    {
        var plan = Retention.Plan([Ref(4, 4), Ref(3, 3), Ref(2, 2), Ref(1, 1)]);
        Assert.Equal([4, 3], plan.Kept.Select(k => k.Id.Number));
        Assert.Equal([2, 1], plan.Dropped.Select(k => k.Id.Number));
    }

    [Fact]
    public void The_newest_of_the_generation_before_stays_so_that_two_full_snapshots_are_kept()
    {
        var plan = Retention.Plan([Ref(7, 5), Ref(6, 5), Ref(5, 5), Ref(4, 3), Ref(3, 3), Ref(2, 1), Ref(1, 1)]);
        Assert.Equal([7, 6, 4], plan.Kept.Select(k => k.Id.Number));
        Assert.Equal([5, 3, 2, 1], plan.Dropped.Select(k => k.Id.Number));
        Assert.Equal([7, 4], Retention.Plan([Ref(7, 5), Ref(6, 5), Ref(5, 5), Ref(4, 3), Ref(3, 3)], 1).Kept.Select(k => k.Id.Number));
    }

    [Fact]
    public void Whatever_is_kept_the_plan_keeps_the_newest_and_two_generations_when_there_are_two()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var kept = new List<ManifestRef>();
            for (var number = 1; number <= random.Next(12); number++) kept.Insert(0, Ref(number, kept.Count == 0 || random.Next(4) == 0 ? number : kept[0].Generation.Number));
            var count = random.Next(1, 5);
            var plan = Retention.Plan(kept, count);
            Assert.Equal(kept, plan.Kept.Concat(plan.Dropped).OrderByDescending(k => k.Id));
            Assert.Equal(kept.Take(count), plan.Kept.Take(Math.Min(count, kept.Count)));
            Assert.InRange(plan.Kept.Count, 0, count + 1);
            Assert.Equal(Math.Min(2, kept.Select(k => k.Generation).Distinct().Count()), Math.Min(2, plan.Kept.Select(k => k.Generation).Distinct().Count()));
            Assert.Empty(Retention.Plan(plan.Kept, count).Dropped);
        }
    }

    [Fact]
    public void Kept_checkpoints_out_of_order_are_refused() =>
        Assert.Throws<ArgumentException>(() => Retention.Plan([Ref(1, 1), Ref(2, 2)]));

    [Fact]
    public void Only_what_no_kept_manifest_names_is_deleted()
    {
        var (first, second) = (Samples.Id(1, 1), Samples.Id(1, 2));
        var full = Samples.Segment(first);
        var alone = Samples.Segment(first, 1);
        var dropped = Samples.Manifest(first, full, alone);
        var kept = Samples.Manifest(second, full, Samples.Segment(second));
        Assert.Equal(
            [ObjectNames.Manifest(Samples.Job, first), alone.Name],
            Retention.ObjectsToDelete(Samples.Job, [dropped], [Samples.Ref(second)], [kept], Attempt.First));
    }

    [Fact]
    public void Objects_of_later_attempts_are_not_deleted()
    {
        var late = Samples.Id(3, 1);
        Assert.Empty(Retention.ObjectsToDelete(Samples.Job, [Samples.Manifest(late, Samples.Segment(late))], [], [], new Attempt(2)));
    }

    [Fact]
    public void Nothing_is_deleted_while_a_kept_manifest_is_unknown()
    {
        var id = Samples.Id(1, 1);
        Assert.Throws<InvalidOperationException>(() =>
            Retention.ObjectsToDelete(Samples.Job, [Samples.Manifest(id)], [Samples.Ref(Samples.Id(1, 2))], [], Attempt.First));
        Assert.Throws<InvalidOperationException>(() => Retention.Orphans(Samples.Job, [], [Samples.Ref(id)], [], new Attempt(2)));
    }

    [Fact]
    public void What_earlier_attempts_left_unpublished_is_found_and_logs_are_not()
    {
        var (kept, lost, own) = (Samples.Id(1, 1), Samples.Id(1, 2), Samples.Id(2, 1));
        var manifest = Samples.Manifest(kept, Samples.Segment(kept));
        string[] listed =
        [
            ObjectNames.LogEntry(Samples.Job, Attempt.First, 0),
            ObjectNames.Manifest(Samples.Job, kept),
            Samples.Segment(kept).Name,
            Samples.Segment(lost).Name,
            ObjectNames.Manifest(Samples.Job, lost),
            Samples.Segment(own).Name,
            "jobs/another/attempts/00000001/segments/000000000001-score-0-0000000000000000",
        ];
        Assert.Equal(
            [Samples.Segment(lost).Name, ObjectNames.Manifest(Samples.Job, lost)],
            Retention.Orphans(Samples.Job, listed, [Samples.Ref(kept)], [manifest], new Attempt(2)));
    }

    private static ManifestRef Ref(long number, long generation) => Samples.Ref(Samples.Id(1, number), Samples.Id(1, generation));
}
