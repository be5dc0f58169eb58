using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using OrleansStream.Checkpoints;

namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>What a store in Azure blobs does beyond what every store must.</summary>
public sealed class AzureBlobStoreTests(Azurite azurite)
{
    private readonly string _container = azurite.NewContainer();
    private readonly UnreliableNetwork _network = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lost_answer_is_an_unknown_outcome_and_the_call_made_again_answers_that_the_name_is_taken()
    {
        var store = await OpenAsync(retries: 0);
        _network.LosesAnswer = Once(UnreliableNetwork.Creates);
        var lost = await Assert.ThrowsAsync<StoreException>(async () => await store.TryCreateAsync("a/1", "mine"u8.ToArray(), Cancellation));
        Assert.Contains("Could not create checkpoint object 'a/1'", lost.Message, StringComparison.Ordinal);
        Assert.Contains("The answer was lost", lost.Message, StringComparison.Ordinal);
        Assert.Contains("can be reached from this machine", lost.Message, StringComparison.Ordinal);
        Assert.False(await store.TryCreateAsync("a/1", "mine"u8.ToArray(), Cancellation));
        Assert.Equal("mine"u8.ToArray(), (await store.ReadAsync("a/1", Cancellation))!.Value.ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_create_that_the_client_repeated_answers_true_when_its_own_first_try_took_the_name(bool inPieces)
    {
        var store = await OpenAsync(retries: 3);
        _network.LosesAnswer = Once(UnreliableNetwork.Creates);
        Assert.True(await CreateAsync(store, "o", "mine"u8.ToArray(), inPieces));
        _network.LosesAnswer = Once(UnreliableNetwork.Creates);
        Assert.False(await CreateAsync(store, "o", "mine"u8.ToArray(), inPieces));
        Assert.Equal("mine"u8.ToArray(), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task A_request_that_fails_is_not_repeated_by_the_store()
    {
        var store = await OpenAsync(retries: 0);
        _network.LosesRequest = static _ => true;
        var before = _network.Requests;
        await Assert.ThrowsAsync<StoreException>(async () => await store.ReadAsync("o", Cancellation));
        Assert.Equal(1, _network.Requests - before);
    }

    [Fact]
    public async Task A_piece_whose_answer_was_lost_is_written_again_and_counts_once()
    {
        var store = await OpenAsync(retries: 0, blockBytes: 10);
        _network.LosesAnswer = Once(static request => request.RequestUri!.Query.Contains("comp=block&", StringComparison.Ordinal));
        await using var writer = store.BeginObject("o");
        await Assert.ThrowsAsync<StoreException>(async () => await writer.WriteAsync(0, new byte[25], Cancellation));
        await writer.WriteAsync(0, new byte[25], Cancellation);
        await writer.WriteAsync(1, "end"u8.ToArray(), Cancellation);
        Assert.True(await writer.TryCreateAsync(Cancellation));
        Assert.Equal(Enumerable.Repeat((byte)0, 25).Concat("end"u8.ToArray()), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task A_block_that_comes_after_the_object_was_created_changes_nothing()
    {
        var store = await OpenAsync(retries: 0);
        var (held, sent) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var late = store.BeginObject("o");
        await late.WriteAsync(0, "late"u8.ToArray(), Cancellation);
        _network.Before = _ =>
        {
            _network.Before = static _ => Task.CompletedTask;
            sent.SetResult();
            return held.Task;
        };
        var piece = late.WriteAsync(1, "later"u8.ToArray(), Cancellation).AsTask();
        await sent.Task;
        Assert.True(await CreateAsync(store, "o", "whole"u8.ToArray(), inPieces: true));
        held.SetResult();
        await piece;
        Assert.Equal("whole"u8.ToArray(), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
        Assert.False(await late.TryCreateAsync(Cancellation));
        Assert.Equal("whole"u8.ToArray(), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task A_writer_whose_blocks_went_with_anothers_object_does_not_create_half_of_its_own()
    {
        var store = await OpenAsync(retries: 0);
        await using var writer = store.BeginObject("o");
        await writer.WriteAsync(0, "first half, "u8.ToArray(), Cancellation);
        await store.TryCreateAsync("o", "another's"u8.ToArray(), Cancellation);
        await store.DeleteAsync("o", Cancellation);
        await writer.WriteAsync(1, "second half"u8.ToArray(), Cancellation);
        var gone = await Assert.ThrowsAsync<StoreException>(async () => await writer.TryCreateAsync(Cancellation));
        Assert.Contains("its blocks are gone", gone.Message, StringComparison.Ordinal);
        Assert.Null(await store.ReadAsync("o", Cancellation));
    }

    [Fact]
    public async Task Blocks_that_somebody_left_under_a_name_do_not_keep_it_from_being_created_in_one_request()
    {
        var store = await OpenAsync(retries: 0);
        await (await ContainerAsync()).GetBlockBlobClient("o").StageBlockAsync(Convert.ToBase64String(new byte[24]), new MemoryStream([1, 2, 3]), cancellationToken: Cancellation);
        Assert.True(await store.TryCreateAsync("o", "whole"u8.ToArray(), Cancellation));
        Assert.False(await store.TryCreateAsync("o", "again"u8.ToArray(), Cancellation));
        Assert.Equal("whole"u8.ToArray(), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task A_large_object_goes_up_in_blocks_of_about_one_length_and_comes_back_whole()
    {
        var store = await OpenAsync(retries: 0, blockBytes: 1000);
        byte[] content = [.. Enumerable.Range(0, 10_500).Select(static i => (byte)(i * 31))];
        Assert.True(await store.TryCreateAsync("o", content, Cancellation));
        var blocks = (await (await ContainerAsync()).GetBlockBlobClient("o").GetBlockListAsync(BlockListTypes.Committed, cancellationToken: Cancellation)).Value.CommittedBlocks.ToList();
        Assert.Equal(11, blocks.Count);
        Assert.All(blocks, static block => Assert.InRange(block.SizeLong, 954, 955));
        Assert.Equal(content, (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
        Assert.Equal(content[999..4321], (await store.ReadRangeAsync("o", 999, 3322, Cancellation))!.Value.ToArray());
        Assert.Equal(content[9_400..], (await store.ReadRangeAsync("o", 9_400, 100_000, Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task An_object_of_more_blocks_than_Azure_takes_is_refused_with_what_to_do()
    {
        var store = await OpenAsync(retries: 0, blockBytes: 1);
        await using var writer = store.BeginObject("o");
        var before = _network.Requests;
        var refused = await Assert.ThrowsAsync<StoreException>(async () => await writer.WriteAsync(0, new byte[50_001], Cancellation));
        Assert.Contains("more than 50000 blocks", refused.Message, StringComparison.Ordinal);
        Assert.Contains("higher parallelism", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, _network.Requests);
    }

    [Fact]
    public async Task A_container_that_vanished_is_an_error_and_not_an_empty_store()
    {
        var store = await OpenAsync(retries: 0);
        await store.TryCreateAsync("a", default, Cancellation);
        await (await ContainerAsync()).DeleteAsync(cancellationToken: Cancellation);
        foreach (var length in new[] { 0, 10 })
        {
            var gone = await Assert.ThrowsAsync<StoreException>(async () => await store.ReadRangeAsync("a", 0, length, Cancellation));
            Assert.Contains("ContainerNotFound", gone.Message, StringComparison.Ordinal);
            Assert.Contains("is not an empty one", gone.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<StoreException>(async () => await store.TryCreateAsync("a", default, Cancellation));
        await Assert.ThrowsAsync<StoreException>(async () => await store.ListAsync("", Cancellation).CountAsync(Cancellation));
    }

    [Fact]
    public async Task Clusters_with_prefixes_of_their_own_share_a_container_and_see_nothing_of_each_other()
    {
        var (one, two) = (await OpenAsync(retries: 0, prefix: "one/"), await OpenAsync(retries: 0, prefix: "two/"));
        Assert.True(await one.TryCreateAsync("jobs/a", "1"u8.ToArray(), Cancellation));
        Assert.True(await two.TryCreateAsync("jobs/a", "2"u8.ToArray(), Cancellation));
        Assert.Equal(["jobs/a"], await two.ListAsync("", Cancellation).ToListAsync(Cancellation));
        Assert.Equal("1"u8.ToArray(), (await one.ReadAsync("jobs/a", Cancellation))!.Value.ToArray());
        await one.DeleteAsync("jobs/a", Cancellation);
        Assert.NotNull(await two.ReadAsync("jobs/a", Cancellation));
        Assert.EndsWith($"{_container}/one/", one.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_is_given_up_says_so_and_is_no_error_of_the_store()
    {
        var store = await OpenAsync(retries: 0);
        using var given = new CancellationTokenSource();
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.ReadAsync("o", given.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.TryCreateAsync("o", default, given.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.DeleteAsync("o", given.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.ListAsync("", given.Token).CountAsync(Cancellation));
    }

    [Fact]
    public async Task A_service_that_does_not_answer_in_time_is_an_error_of_the_store()
    {
        var options = _network.Options(retries: 0);
        options.Retry.NetworkTimeout = TimeSpan.FromMilliseconds(200);
        var store = new AzureBlobStore(new AzureBlobOptions { ConnectionString = await azurite.ConnectionStringAsync(), Container = _container, ClientOptions = options });
        _network.Before = static _ => new TaskCompletionSource().Task;
        var late = await Assert.ThrowsAsync<StoreException>(async () => await store.ReadAsync("o", Cancellation));
        Assert.Contains("did not answer in time", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shared_access_signature_opens_the_store_and_does_not_show_in_its_messages()
    {
        await (await ContainerAsync()).CreateAsync(cancellationToken: Cancellation);
        var address = (await azurite.ClientAsync()).GenerateAccountSasUri(AccountSasPermissions.All, DateTimeOffset.UtcNow.AddHours(1), AccountSasResourceTypes.All);
        var store = new AzureBlobStore(new AzureBlobOptions { ServiceUri = address, Container = _container });
        Assert.True(await store.TryCreateAsync("a", default, Cancellation));
        Assert.DoesNotContain("sig", store.Location, StringComparison.Ordinal);
    }

    private async Task<AzureBlobStore> OpenAsync(int retries, int? blockBytes = null, string prefix = "")
    {
        var options = new AzureBlobOptions { ConnectionString = await azurite.ConnectionStringAsync(), Container = _container, Prefix = prefix, ClientOptions = _network.Options(retries) };
        return blockBytes is { } bytes ? new AzureBlobStore(options) { BlockBytes = bytes } : new AzureBlobStore(options);
    }

    private async Task<BlobContainerClient> ContainerAsync() => (await azurite.ClientAsync()).GetBlobContainerClient(_container);

    private static async Task<bool> CreateAsync(AzureBlobStore store, string name, byte[] content, bool inPieces)
    {
        if (!inPieces) return await store.TryCreateAsync(name, content, Cancellation);
        await using var writer = store.BeginObject(name);
        await writer.WriteAsync(0, content, Cancellation);
        return await writer.TryCreateAsync(Cancellation);
    }

    private static Func<HttpRequestMessage, bool> Once(Func<HttpRequestMessage, bool> which)
    {
        var done = 0;
        return request => which(request) && Interlocked.Exchange(ref done, 1) == 0;
    }
}
