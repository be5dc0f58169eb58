using OrleansStream.Checkpoints;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>What every checkpoint store must do with objects that come in pieces.</summary>
public abstract partial class CheckpointStoreConformance
{
    [Fact]
    public async Task Pieces_become_one_object_in_the_order_of_their_numbers_and_not_before_it_is_created()
    {
        var store = Open();
        byte[] content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31))];
        await using (var writer = store.BeginObject("jobs/a/1"))
        {
            await writer.WriteAsync(0, content.AsMemory(0, 5), Cancellation);
            await writer.WriteAsync(1, content.AsMemory(5, 200_000), Cancellation);
            await writer.WriteAsync(2, default, Cancellation);
            await writer.WriteAsync(3, content.AsMemory(200_005), Cancellation);
            Assert.Null(await store.ReadAsync("jobs/a/1", Cancellation));
            Assert.Empty(await ListAsync(store, ""));
            Assert.True(await writer.TryCreateAsync(Cancellation));
        }

        Assert.Equal(content, (await OpenAgain().ReadAsync("jobs/a/1", Cancellation))!.Value.ToArray());
        Assert.Equal(["jobs/a/1"], await ListAsync(store, ""));
    }

    [Fact]
    public async Task A_piece_that_is_written_again_counts_once()
    {
        var store = Open();
        await using var writer = store.BeginObject("o");
        await writer.WriteAsync(0, "abc"u8.ToArray(), Cancellation);
        await writer.WriteAsync(0, "abc"u8.ToArray(), Cancellation);
        await writer.WriteAsync(1, "de"u8.ToArray(), Cancellation);
        await writer.WriteAsync(1, "de"u8.ToArray(), Cancellation);
        Assert.True(await writer.TryCreateAsync(Cancellation));
        Assert.Equal("abcde"u8.ToArray(), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task The_memory_of_a_piece_is_the_callers_again_when_it_is_written()
    {
        var store = Open();
        await using var writer = store.BeginObject("o");
        var memory = new byte[1000];
        for (var piece = 0; piece < 5; piece++)
        {
            Array.Fill(memory, (byte)piece);
            await writer.WriteAsync(piece, memory, Cancellation);
        }

        Array.Fill(memory, (byte)77);
        await writer.TryCreateAsync(Cancellation);
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => (byte)(i / 1000)), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task A_piece_out_of_order_or_of_another_length_or_too_late_is_refused()
    {
        var store = Open();
        await using var writer = store.BeginObject("o");
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(1, "b"u8.ToArray(), Cancellation));
        await writer.WriteAsync(0, "a"u8.ToArray(), Cancellation);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(0, "ab"u8.ToArray(), Cancellation));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(2, "c"u8.ToArray(), Cancellation));
        await writer.WriteAsync(1, "b"u8.ToArray(), Cancellation);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(0, "a"u8.ToArray(), Cancellation));
        Assert.True(await writer.TryCreateAsync(Cancellation));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(2, "c"u8.ToArray(), Cancellation));
        Assert.Equal("ab"u8.ToArray(), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task An_object_whose_last_piece_may_not_be_there_is_not_created()
    {
        var store = Open();
        await using var writer = store.BeginObject("o");
        await writer.WriteAsync(0, "a"u8.ToArray(), Cancellation);
        using (var given = new CancellationTokenSource())
        {
            await given.CancelAsync();
            try
            {
                await writer.WriteAsync(1, "b"u8.ToArray(), given.Token);
                return; // A store that does not listen has written it.
            }
            catch (OperationCanceledException)
            {
            }
        }

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.TryCreateAsync(Cancellation));
        await writer.WriteAsync(1, "b"u8.ToArray(), Cancellation);
        Assert.True(await writer.TryCreateAsync(Cancellation));
        Assert.Equal("ab"u8.ToArray(), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task What_is_not_created_leaves_nothing_and_the_name_free()
    {
        var store = Open();
        await using (var writer = store.BeginObject("a/o"))
        {
            await writer.WriteAsync(0, "given up"u8.ToArray(), Cancellation);
        }

        await store.BeginObject("a/o").DisposeAsync();
        Assert.Null(await store.ReadAsync("a/o", Cancellation));
        Assert.Empty(await ListAsync(store, ""));
        Assert.True(await store.TryCreateAsync("a/o", "whole"u8.ToArray(), Cancellation));
    }

    [Fact]
    public async Task Created_again_it_answers_false_and_so_does_a_writer_whose_name_is_taken()
    {
        var store = Open();
        await using var first = store.BeginObject("o");
        await using var second = store.BeginObject("o");
        await first.WriteAsync(0, "first"u8.ToArray(), Cancellation);
        await second.WriteAsync(0, "second"u8.ToArray(), Cancellation);
        Assert.True(await first.TryCreateAsync(Cancellation));
        Assert.False(await first.TryCreateAsync(Cancellation));
        Assert.False(await second.TryCreateAsync(Cancellation));
        Assert.False(await store.TryCreateAsync("o", "third"u8.ToArray(), Cancellation));
        Assert.Equal("first"u8.ToArray(), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task An_object_without_pieces_is_empty()
    {
        var store = Open();
        await using var writer = store.BeginObject("empty");
        Assert.True(await writer.TryCreateAsync(Cancellation));
        Assert.Equal(0, (await store.ReadAsync("empty", Cancellation))!.Value.Length);
    }

    [Fact]
    public async Task Of_writers_of_one_name_at_one_moment_exactly_one_wins_with_its_own_pieces()
    {
        var stores = new[] { Open(), OpenAgain() };
        for (var round = 0; round < 30; round++)
        {
            var name = $"race/{round}";
            var created = await Task.WhenAll(Enumerable.Range(0, 6).Select(writer => Task.Run(() => WriteAsync(stores[writer % 2], name, (byte)writer))));
            var content = (await stores[0].ReadAsync(name, Cancellation))!.Value.ToArray();
            Assert.Single(created, static won => won);
            Assert.Equal(3000, content.Length);
            Assert.All(content, value => Assert.Equal(Array.IndexOf(created, true), value));
        }

        static async Task<bool> WriteAsync(ICheckpointStore store, string name, byte value)
        {
            await using var writer = store.BeginObject(name);
            for (var piece = 0; piece < 3; piece++) await writer.WriteAsync(piece, Enumerable.Repeat(value, 1000).ToArray(), Cancellation);
            return await writer.TryCreateAsync(Cancellation);
        }
    }
}
