using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Tests.Checkpoints;

public sealed class HistoryLogTests
{
    private readonly InMemoryStore _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_never_ran_has_an_empty_history_and_its_first_attempt_is_free()
    {
        Assert.Equal(JobHistory.Empty, await ReadAsync());
        var takeover = await TakeOverAsync("a");
        Assert.Equal(Attempt.First, takeover.Next);
        Assert.Equal(0, takeover.History.Attempts);
        Assert.Empty(_store.Names);
    }

    [Fact]
    public async Task Of_two_who_begin_the_first_attempt_one_wins()
    {
        Assert.NotNull(await BeginAsync("a", Attempt.First));
        Assert.Null(await BeginAsync("b", Attempt.First));
    }

    [Fact]
    public async Task A_takeover_finds_what_was_published_and_fences_the_writer()
    {
        var log = await BegunAsync("a", Attempt.First);
        Assert.True(await PublishAsync(log, "a", 1));
        Assert.True(await PublishAsync(log, "a", 2));

        var takeover = await TakeOverAsync("b");
        Assert.Equal(new Attempt(2), takeover.Next);
        Assert.Equal([Samples.Id(1, 2)], takeover.History.Kept.Select(k => k.Id));
        Assert.Equal("a", takeover.History.LastStarted!.WriterId);
        Assert.Equal(1, takeover.History.Attempts);

        Assert.False(await PublishAsync(log, "a", 3));
        Assert.True(log.IsLost);
        _store.Delete(ObjectNames.LogEntry(Samples.Job, Attempt.First, 3));
        Assert.False(await PublishAsync(log, "a", 4)); // For ever, whatever the store says.
    }

    [Fact]
    public async Task A_sealer_that_died_is_answered_by_sealing_the_attempt_it_owned()
    {
        await BegunAsync("a", Attempt.First);
        var dead = await TakeOverAsync("dead");
        var second = await TakeOverAsync("b");
        Assert.Equal(new Attempt(2), dead.Next);
        Assert.Equal(new Attempt(3), second.Next);
        Assert.Equal("a", second.History.LastStarted!.WriterId);
        Assert.Null(await BeginAsync("dead", dead.Next));
        Assert.NotNull(await BeginAsync("b", second.Next));
    }

    [Fact]
    public async Task Taking_over_again_with_the_same_id_owns_the_same_attempt()
    {
        await BegunAsync("a", Attempt.First);
        Assert.Equal(new Attempt(2), (await TakeOverAsync("b")).Next);
        Assert.Equal(new Attempt(2), (await TakeOverAsync("b")).Next);
    }

    [Fact]
    public async Task A_seal_that_meets_a_publication_goes_behind_it()
    {
        var log = await BegunAsync("a", Attempt.First);
        var published = 0;
        _store.BeforeCreate = async _ =>
        {
            if (published >= 3) return;
            _store.BeforeCreate = null;
            await PublishAsync(log, "a", ++published);
            await PublishAsync(log, "a", ++published);
            await PublishAsync(log, "a", ++published);
        };
        var takeover = await TakeOverAsync("b");
        Assert.Equal(Samples.Id(1, 3), takeover.History.Kept[0].Id);
        Assert.IsType<Sealed>(Entry(1, 4));
    }

    [Fact]
    public async Task A_seal_that_lands_in_the_hole_of_a_trimmed_entry_takes_nothing_over()
    {
        var log = await BegunAsync("a", Attempt.First);
        for (var i = 1; i <= 4; i++) await PublishAsync(log, "a", i);
        var meanwhile = 0;
        _store.BeforeCreate = async name =>
        {
            Assert.Equal(ObjectNames.LogEntry(Samples.Job, Attempt.First, 5), name);
            _store.BeforeCreate = null;
            for (var i = 5; i <= 20; i++) Assert.True(await PublishAsync(log, "a", i));
            await log.TrimAsync(Cancellation);
            Assert.Null(_store.Read(name));
            meanwhile++;
        };
        var takeover = await TakeOverAsync("b");
        Assert.Equal(1, meanwhile);
        Assert.IsType<Sealed>(Entry(1, 5)); // The one in the hole.
        Assert.IsType<Sealed>(Entry(1, 21)); // The one that counts.
        Assert.Equal(Samples.Id(1, 20), takeover.History.Kept[0].Id);
        Assert.False(await PublishAsync(log, "a", 21));
    }

    [Fact]
    public async Task A_seal_that_comes_attempts_too_late_takes_nothing_over()
    {
        var first = await BegunAsync("a", Attempt.First);
        for (var i = 1; i <= 4; i++) await PublishAsync(first, "a", i);
        AttemptLog? second = null;
        _store.BeforeCreate = async name =>
        {
            _store.BeforeCreate = null;
            for (var i = 5; i <= 9; i++) await PublishAsync(first, "a", i);
            second = await BegunAsync("c", (await TakeOverAsync("c")).Next);
            Assert.True(await second.AppendAsync(Samples.Published("c", Samples.Id(2, 1)), Cancellation));
            await second.TrimOlderAsync(second.Attempt, Cancellation);
            Assert.Null(_store.Read(name));
        };
        var late = await TakeOverAsync("b");
        Assert.Equal(new Attempt(3), late.Next);
        Assert.Equal(Samples.Id(2, 1), late.History.Kept[0].Id);
        Assert.False(await second!.AppendAsync(Samples.Published("c", Samples.Id(2, 2)), Cancellation));
    }

    [Fact]
    public async Task A_seal_in_a_hole_is_not_taken_for_the_logs_end_by_a_reader()
    {
        var log = await BegunAsync("a", Attempt.First);
        for (var i = 1; i <= 5; i++) await PublishAsync(log, "a", i);
        var entry5 = ObjectNames.LogEntry(Samples.Job, Attempt.First, 5);
        var reads = 0;
        _store.BeforeRead = async name =>
        {
            if (name != entry5 || ++reads != 2) return; // The first found the end; the second is for what the entry says.
            for (var i = 6; i <= 8; i++) await PublishAsync(log, "a", i);
            await log.TrimAsync(Cancellation);
            Assert.True(_store.TryCreate(entry5, new Sealed("slow").Encode()));
        };
        var history = await ReadAsync();
        Assert.True(reads > 1);
        Assert.Equal(Samples.Id(1, 8), history.Kept[0].Id);
    }

    [Fact]
    public async Task How_a_job_ended_is_known_until_another_attempt_starts()
    {
        var log = await BegunAsync("a", Attempt.First);
        await PublishAsync(log, "a", 1);
        Assert.Null((await ReadAsync()).End);
        Assert.True(await log.AppendAsync(new Finished("a"), Cancellation));
        Assert.Equal(new Finished("a"), (await ReadAsync()).End);
        var takeover = await TakeOverAsync("b");
        Assert.Equal(new Finished("a"), takeover.History.End);
        Assert.Equal(Samples.Id(1, 1), takeover.History.Kept[0].Id);
        await BegunAsync("b", takeover.Next, takeover.History.Kept);
        Assert.Null((await ReadAsync()).End);
    }

    [Fact]
    public async Task Nothing_follows_an_end()
    {
        var log = await BegunAsync("a", Attempt.First);
        await log.AppendAsync(new Failed("a", "line 3", 1), Cancellation);
        await Assert.ThrowsAsync<InvalidOperationException>(() => PublishAsync(log, "a", 1));
    }

    [Fact]
    public async Task A_damaged_last_entry_is_named_and_nothing_is_owned()
    {
        var log = await BegunAsync("a", Attempt.First);
        await PublishAsync(log, "a", 1);
        var name = ObjectNames.LogEntry(Samples.Job, Attempt.First, 1);
        var bytes = _store.Read(name)!;
        bytes[^3] ^= 4;
        _store.Overwrite(name, bytes);
        Assert.Equal(name, (await Assert.ThrowsAsync<DamagedObjectException>(() => TakeOverAsync("b"))).ObjectName);
        Assert.Equal(name, (await Assert.ThrowsAsync<DamagedObjectException>(ReadAsync)).ObjectName);
    }

    [Fact]
    public async Task A_lost_entry_is_named_and_not_waited_for()
    {
        var log = await BegunAsync("a", Attempt.First);
        for (var i = 1; i <= 5; i++) await PublishAsync(log, "a", i);
        await log.AppendAsync(new Finished("a"), Cancellation);
        var name = ObjectNames.LogEntry(Samples.Job, Attempt.First, 5);
        _store.Delete(name);
        Assert.Equal(name, (await Assert.ThrowsAsync<DamagedObjectException>(ReadAsync)).ObjectName);
        Assert.Equal(name, (await Assert.ThrowsAsync<DamagedObjectException>(() => TakeOverAsync("b"))).ObjectName);
    }

    [Fact]
    public async Task Another_entry_in_the_place_of_an_attempts_start_is_named()
    {
        await BegunAsync("a", Attempt.First);
        await TakeOverAsync("b");
        await TakeOverAsync("c");
        var name = ObjectNames.LogEntry(Samples.Job, Attempt.First, 0);
        _store.Delete(name);
        _store.TryCreate(name, new Finished("a").Encode());
        Assert.Equal(name, (await Assert.ThrowsAsync<DamagedObjectException>(ReadAsync)).ObjectName);
    }

    [Fact]
    public async Task Trimming_leaves_few_entries_and_the_newest_that_says_what_is_kept()
    {
        var log = await BegunAsync("a", Attempt.First);
        for (var i = 1; i <= 1000; i++)
        {
            await PublishAsync(log, "a", i);
            await log.TrimAsync(Cancellation);
            Assert.Equal(Samples.Id(1, i), (await ReadAsync()).Kept[0].Id);
        }

        Assert.InRange(_store.Names.Count, 1, 20);

        // 1001 is odd, so an entry after it releases it; it stays, because it says what is kept.
        await PublishAsync(log, "a", 1001);
        await log.AppendAsync(new Stopped("a", "asked"), Cancellation);
        await log.TrimAsync(Cancellation);
        var takeover = await TakeOverAsync("b");
        Assert.Equal(Samples.Id(1, 1001), takeover.History.Kept[0].Id);
        Assert.IsType<Stopped>(takeover.History.End);
    }

    [Fact]
    public async Task Older_attempts_keep_entry_0_and_their_seal_only()
    {
        var log = await BegunAsync("a", Attempt.First);
        for (var i = 1; i <= 9; i++) await PublishAsync(log, "a", i);
        var takeover = await TakeOverAsync("b");
        var next = await BegunAsync("b", takeover.Next, takeover.History.Kept);

        await next.TrimOlderAsync(Attempt.First, Cancellation);
        Assert.Equal(12, _store.Names.Count); // Attempt 1 took a checkpoint that is kept.
        await next.TrimOlderAsync(next.Attempt, Cancellation);
        Assert.Equal(
            [ObjectNames.LogEntry(Samples.Job, Attempt.First, 0), ObjectNames.LogEntry(Samples.Job, Attempt.First, 10), ObjectNames.LogEntry(Samples.Job, next.Attempt, 0)],
            _store.Names);
        Assert.False(await PublishAsync(log, "a", 10));
        Assert.Equal(Samples.Id(1, 9), (await ReadAsync()).Kept[0].Id);
    }

    [Fact]
    public async Task An_entry_of_another_writer_or_attempt_is_refused()
    {
        var log = await BegunAsync("a", Attempt.First);
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(new Finished("b"), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(new Sealed("a"), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(Samples.Published("a", Samples.Id(2, 1)), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(new Published("a", Samples.Ref(Samples.Id(1, 1)), []), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(new Dropped("a", [Samples.Id(1, 1)], []), Cancellation));
        Assert.True(await PublishAsync(log, "a", 1));
    }

    [Fact]
    public async Task Two_appends_at_once_are_refused()
    {
        var log = await BegunAsync("a", Attempt.First);
        var gate = new TaskCompletionSource();
        _store.BeforeCreate = _ => gate.Task;
        var first = PublishAsync(log, "a", 1);
        _store.BeforeCreate = null;
        await Assert.ThrowsAsync<InvalidOperationException>(() => PublishAsync(log, "a", 2));
        gate.SetResult();
        Assert.True(await first);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task An_entry_of_unknown_outcome_is_settled_before_the_next(bool applied, bool sealedMeanwhile)
    {
        var log = await BegunAsync("a", Attempt.First);
        _store.BeforeCreate = name =>
        {
            if (applied) _store.TryCreate(name, Samples.Published("a", Samples.Id(1, 1)).Encode());
            throw new StoreException("unknown");
        };
        await Assert.ThrowsAsync<StoreException>(() => PublishAsync(log, "a", 1));
        Assert.Equal(Samples.Id(1, 1), Assert.IsType<Published>(log.Undecided).Manifest.Id);
        _store.BeforeCreate = null;

        if (sealedMeanwhile) Assert.Equal(applied ? 1 : 0, (await TakeOverAsync("b")).History.Kept.Count);
        Assert.Equal(!sealedMeanwhile, await PublishAsync(log, "a", 2));
        Assert.Null(log.Undecided);
        if (sealedMeanwhile) return;
        Assert.Equal(Samples.Id(1, 1), Assert.IsType<Published>(Entry(1, 1)).Manifest.Id);
        Assert.Equal(Samples.Id(1, 2), Assert.IsType<Published>(Entry(1, 2)).Manifest.Id);
    }

    [Fact]
    public async Task The_same_entry_after_an_unknown_outcome_is_written_once()
    {
        var log = await BegunAsync("a", Attempt.First);
        _store.BeforeCreate = name =>
        {
            _store.TryCreate(name, Samples.Published("a", Samples.Id(1, 1)).Encode());
            throw new StoreException("unknown");
        };
        await Assert.ThrowsAsync<StoreException>(() => PublishAsync(log, "a", 1));
        _store.BeforeCreate = null;
        Assert.True(await PublishAsync(log, "a", 1));
        Assert.Equal(2, _store.Names.Count);
    }

    private LogEntry Entry(int attempt, long number)
    {
        var name = ObjectNames.LogEntry(Samples.Job, new Attempt(attempt), number);
        return LogEntry.Decode(name, _store.Read(name) ?? throw new InvalidOperationException($"{name} is missing."));
    }

    private Task<JobHistory> ReadAsync() => HistoryLog.ReadAsync(_store, Samples.Job, Samples.Retry(), Cancellation);

    private Task<Takeover> TakeOverAsync(string writer) => HistoryLog.TakeOverAsync(_store, Samples.Job, writer, Samples.Retry(), Cancellation);

    private Task<AttemptLog?> BeginAsync(string writer, Attempt attempt, IReadOnlyList<ManifestRef>? kept = null) =>
        AttemptLog.BeginAsync(_store, Samples.Job, Samples.Started(writer, attempt, kept), Samples.Retry(), Cancellation);

    private async Task<AttemptLog> BegunAsync(string writer, Attempt attempt, IReadOnlyList<ManifestRef>? kept = null) =>
        await BeginAsync(writer, attempt, kept) ?? throw new InvalidOperationException($"Attempt {attempt} is another's.");

    private static Task<bool> PublishAsync(AttemptLog log, string writer, long number) =>
        log.AppendAsync(Samples.Published(writer, new CheckpointId(log.Attempt, number)), Cancellation);
}
