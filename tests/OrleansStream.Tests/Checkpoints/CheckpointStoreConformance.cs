using OrleansStream.Checkpoints;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>What every checkpoint store must do. A store's own test class derives from this one and opens it; the cluster tests compile it too, for stores that are servers.</summary>
public abstract partial class CheckpointStoreConformance
{
    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_created_is_read_back()
    {
        var store = Open();
        byte[] content = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 31))];
        Assert.True(await store.TryCreateAsync("jobs/a/1", content, Cancellation));
        Assert.Equal(content, (await store.ReadAsync("jobs/a/1", Cancellation))!.Value.ToArray());
        Assert.True(await store.TryCreateAsync("empty", default, Cancellation));
        Assert.Equal(0, (await store.ReadAsync("empty", Cancellation))!.Value.Length);
    }

    [Fact]
    public async Task A_second_create_answers_false_and_changes_nothing()
    {
        var store = Open();
        Assert.True(await store.TryCreateAsync("a/b", "first"u8.ToArray(), Cancellation));
        Assert.False(await store.TryCreateAsync("a/b", "second"u8.ToArray(), Cancellation));
        Assert.Equal("first"u8.ToArray(), (await store.ReadAsync("a/b", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task What_is_not_there_reads_as_null()
    {
        var store = Open();
        Assert.Null(await store.ReadAsync("no/such", Cancellation));
        Assert.Null(await store.ReadRangeAsync("no/such", 0, 10, Cancellation));
    }

    [Fact]
    public async Task A_part_is_read_and_ends_where_the_object_ends()
    {
        var store = Open();
        await store.TryCreateAsync("o", "0123456789"u8.ToArray(), Cancellation);
        Assert.Equal("345"u8.ToArray(), (await store.ReadRangeAsync("o", 3, 3, Cancellation))!.Value.ToArray());
        Assert.Equal("89"u8.ToArray(), (await store.ReadRangeAsync("o", 8, 100, Cancellation))!.Value.ToArray());
        Assert.Equal(0, (await store.ReadRangeAsync("o", 10, 1, Cancellation))!.Value.Length);
        Assert.Equal(0, (await store.ReadRangeAsync("o", 1L << 40, 1, Cancellation))!.Value.Length);
        Assert.Equal(0, (await store.ReadRangeAsync("o", 2, 0, Cancellation))!.Value.Length);
    }

    [Fact]
    public async Task Deleting_is_repeatable_and_frees_the_name()
    {
        var store = Open();
        await store.DeleteAsync("x/y", Cancellation);
        await store.TryCreateAsync("x/y", "1"u8.ToArray(), Cancellation);
        await store.DeleteAsync("x/y", Cancellation);
        await store.DeleteAsync("x/y", Cancellation);
        Assert.Null(await store.ReadAsync("x/y", Cancellation));
        Assert.True(await store.TryCreateAsync("x/y", "2"u8.ToArray(), Cancellation));
    }

    [Fact]
    public async Task A_list_holds_the_names_that_begin_with_the_prefix()
    {
        var store = Open();
        foreach (var name in new[] { "jobs/a/1", "jobs/a/2", "jobs/ab/1", "jobs/b/1", "other" }) await store.TryCreateAsync(name, default, Cancellation);
        Assert.Equal(["jobs/a/1", "jobs/a/2"], await ListAsync(store, "jobs/a/"));
        Assert.Equal(["jobs/a/1", "jobs/a/2", "jobs/ab/1"], await ListAsync(store, "jobs/a"));
        Assert.Equal(["jobs/a/1", "jobs/a/2", "jobs/ab/1", "jobs/b/1", "other"], await ListAsync(store, ""));
        Assert.Empty(await ListAsync(store, "none/"));
    }

    [Fact]
    public async Task Of_creators_at_one_moment_exactly_one_wins()
    {
        const int Rounds = 100, Threads = 8;
        var stores = new[] { Open(), OpenAgain() };
        var winners = new int[Rounds];
        var firstWinner = new int[Rounds];
        using var start = new Barrier(Threads);
        var errors = new List<Exception>();
        var threads = Enumerable.Range(0, Threads).Select(t => new Thread(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                start.SignalAndWait(Cancellation);
                try
                {
                    if (!stores[t % 2].TryCreateAsync($"race/{round}/entry", BitConverter.GetBytes(t), Cancellation).AsTask().GetAwaiter().GetResult()) continue;
                    Interlocked.Increment(ref winners[round]);
                    firstWinner[round] = t;
                }
                catch (Exception e)
                {
                    lock (errors) errors.Add(e);
                }
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());

        Assert.Empty(errors);
        Assert.All(winners, w => Assert.Equal(1, w));
        for (var round = 0; round < Rounds; round++)
        {
            var content = await stores[1].ReadAsync($"race/{round}/entry", Cancellation);
            Assert.Equal(firstWinner[round], BitConverter.ToInt32(content!.Value.Span));
        }

        Assert.True(firstWinner.Distinct().Count() > 1, "The same thread won every round: they did not race.");
    }

    [Fact]
    public async Task A_reader_sees_an_object_whole_or_not_at_all()
    {
        var store = Open();
        var content = new byte[1 << 20];
        Array.Fill(content, (byte)7);
        for (var round = 0; round < 10; round++)
        {
            var creation = store.TryCreateAsync($"big/{round}", content, Cancellation).AsTask();
            bool done;
            do
            {
                done = creation.IsCompleted;
                if (await store.ReadAsync($"big/{round}", Cancellation) is { } read) Assert.Equal(content.Length, read.Length);
                else Assert.False(done, "A created object is not there.");
            }
            while (!done);

            Assert.True(await creation);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("a/.b")]
    [InlineData("a./b")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("a\\b")]
    [InlineData("c:/a")]
    [InlineData("a\0b")]
    [InlineData("é")]
    public async Task A_name_that_is_none_is_refused(string name)
    {
        var store = Open();
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.TryCreateAsync(name, default, Cancellation));
        Assert.Throws<ArgumentException>(() => store.BeginObject(name));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.ReadAsync(name, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.ReadRangeAsync(name, 0, 1, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.DeleteAsync(name, Cancellation));
    }

    [Fact]
    public async Task A_list_does_not_lead_out_of_the_store() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await ListAsync(Open(), "../"));

    /// <summary>Opens a store that is empty.</summary>
    protected abstract ICheckpointStore Open();

    /// <summary>Opens the store that <see cref="Open"/> opened, as another process would.</summary>
    protected abstract ICheckpointStore OpenAgain();

    protected static async Task<IReadOnlyList<string>> ListAsync(ICheckpointStore store, string prefix)
    {
        var names = new List<string>();
        await foreach (var name in store.ListAsync(prefix, Cancellation)) names.Add(name);
        names.Sort(StringComparer.Ordinal);
        return names;
    }
}
