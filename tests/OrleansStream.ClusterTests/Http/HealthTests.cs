using System.Net;
using System.Runtime.CompilerServices;
using OrleansStream.Checkpoints;

namespace OrleansStream.ClusterTests.Http;

public sealed class HealthTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_silo_in_the_cluster_whose_store_answers_is_live_and_ready()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);

        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(silos.Client, "/health/live"));
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(silos.Client, "/health/ready"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_silo_whose_store_fails_or_is_silent_is_live_and_not_ready_and_says_nothing_more(bool isSilent)
    {
        var store = new BrokenStore(new LocalFolderStore(_folder["checkpoints"]));
        await using var silos = await HttpSilos.StartAsync(
            _folder, http: static options => options.LongestHealthCheck = TimeSpan.FromMilliseconds(200), stream: options => options.Checkpoints.Store = _ => store);
        store.Breaks = isSilent ? Break.Silent : Break.Failing;

        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(silos.Client, "/health/live"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await AskAsync(silos.Client, "/health/ready"));
    }

    [Fact]
    public async Task The_store_is_asked_once_a_second_however_many_ask_for_health()
    {
        var store = new BrokenStore(new LocalFolderStore(_folder["checkpoints"]));
        await using var silos = await HttpSilos.StartAsync(_folder, stream: options => options.Checkpoints.Store = _ => store);
        var before = store.HealthReads;

        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 50; i++) await AskAsync(silos.Client, "/health/ready");

        // An answer holds for a second, and the machine may be slow.
        Assert.InRange(store.HealthReads - before, 1, 2 + (int)TimeProvider.System.GetElapsedTime(began).TotalSeconds);
    }

    private static async Task<(HttpStatusCode Status, string Text)> AskAsync(HttpClient http, string path)
    {
        using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private enum Break
    {
        No,
        Failing,
        Silent,
    }

    private sealed class BrokenStore(ICheckpointStore store) : ICheckpointStore
    {
        private int _healthReads;

        public Break Breaks { get; set; }

        public int HealthReads => Volatile.Read(ref _healthReads);

        public string Location => store.Location;

        public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation)
        {
            if (name.StartsWith("_health", StringComparison.Ordinal)) Interlocked.Increment(ref _healthReads);
            if (Breaks == Break.Failing) throw new StoreException("The disk is gone.");
            if (Breaks == Break.Silent) await Task.Delay(Timeout.Infinite, cancellation);
            return await store.ReadAsync(name, cancellation);
        }

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => store.TryCreateAsync(name, content, cancellation);

        public IObjectWriter BeginObject(string name) => store.BeginObject(name);

        public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation) => store.ReadRangeAsync(name, offset, length, cancellation);

        public ValueTask DeleteAsync(string name, CancellationToken cancellation) => store.DeleteAsync(name, cancellation);

        public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
        {
            await foreach (var name in store.ListAsync(prefix, cancellation)) yield return name;
        }
    }
}
