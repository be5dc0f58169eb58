using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using OrleansStream.Silo.CommandLine.Client;

namespace OrleansStream.ClusterTests.Cluster;

/// <summary>How the silos of a cluster are started.</summary>
internal sealed record SiloClusterOptions
{
    public int Silos { get; init; } = 3;

    /// <summary>Where checkpoints go, as <c>--storage</c> takes it; a folder of the cluster's own when null.</summary>
    public string? Storage { get; init; }

    /// <summary>What each silo gets besides.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Whether silos keep snapshots near them.</summary>
    public bool KeepsSnapshots { get; init; } = true;

    /// <summary>A network whose hosts the silos run on, one after the other; this machine when null.</summary>
    public HostNetwork? Network { get; init; }
}

/// <summary>Silos as processes of their own, over real sockets, that are one cluster; asked and told over HTTP, as a user would. Ends with the test.</summary>
internal sealed class SiloCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private static readonly string Key = RandomNumberGenerator.GetHexString(32);
    private static int _clusters;

    private readonly TestFolder _folder = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly List<SiloNode> _nodes = [];
    private readonly string _redis;
    private readonly SiloClusterOptions _options;
    private readonly string _id = $"test-{Environment.ProcessId}-{Interlocked.Increment(ref _clusters)}";

    private SiloCluster(string redis, SiloClusterOptions options)
    {
        (_redis, _options) = (redis, options);
        _http.DefaultRequestHeaders.Add("X-Api-Key", Key);
    }

    /// <summary>All silos that were ever started, those that are gone too.</summary>
    public IReadOnlyList<SiloNode> Nodes => _nodes;

    public IEnumerable<SiloNode> Living => _nodes.Where(static node => node.IsAlive);

    /// <summary>A folder that all silos see, and may read and write over HTTP.</summary>
    public string Files => _folder["files"];

    public string Checkpoints => _folder["checkpoints"];

    /// <summary>Where a silo keeps snapshots near it.</summary>
    public string SnapshotsOf(SiloNode node) => _folder[$"snapshots-{_nodes.IndexOf(node)}"];

    public static async Task<SiloCluster> StartAsync(Garnet garnet, SiloClusterOptions? options = null)
    {
        var redis = await garnet.AddressAsync();
        var cluster = new SiloCluster(options?.Network?.Reach(redis) ?? redis, options ?? new SiloClusterOptions());
        try
        {
            Directory.CreateDirectory(cluster.Files);
            for (var i = 0; i < cluster._options.Silos; i++) cluster.Launch();
            foreach (var node in cluster.Nodes) await node.ReadyAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts one more silo, with variables of its environment set.</summary>
    public async Task<SiloNode> AddAsync(IReadOnlyDictionary<string, string>? environment = null, NetworkHost? host = null)
    {
        var node = Launch(environment, host);
        await node.ReadyAsync();
        return node;
    }

    /// <summary>Starts a silo and does not wait for it.</summary>
    public SiloNode Launch(IReadOnlyDictionary<string, string>? environment = null, NetworkHost? host = null)
    {
        host ??= _options.Network?.Hosts[_nodes.Count];
        string[] arguments =
        [
            "--clustering", $"redis={_redis}", "--cluster-id", _id, "--storage", _options.Storage ?? $"folder={Checkpoints}", "--files", Files,
            .. _options.KeepsSnapshots ? new[] { "--local-snapshots", _folder[$"snapshots-{_nodes.Count}"] } : [],
            .. host is not null ? new[] { "--silo-address", host.Address, "--http-address", host.Address } : [],
            .. _options.Arguments,
        ];
        var variables = new Dictionary<string, string>(environment ?? new Dictionary<string, string>()) { [ClusterClient.KeyVariable] = Key };
        var node = new SiloNode(arguments, variables, host);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Starts a silo that is gone once more, with the same ports and folders.</summary>
    public async Task<SiloNode> StartAgainAsync(SiloNode gone)
    {
        var node = gone.StartAgain();
        _nodes.Add(node);
        await node.ReadyAsync();
        return node;
    }

    /// <summary>Starts a job; completes when the cluster has begun with it.</summary>
    public Task StartJobAsync(string job, IReadOnlyDictionary<string, string> arguments, int parallelism, string checkpointInterval = "1s", double? recordsPerSecond = null) =>
        OperateAsync($"{job}/start", new { parallelism, arguments, checkpointInterval, recordsPerSecond });

    public Task StopJobAsync(string job) => OperateAsync($"{job}/stop", new { reason = "The test stops it." });

    public Task RescaleAsync(string job, int parallelism) => OperateAsync($"{job}/rescale", new { parallelism });

    /// <summary>Asks for another parallelism, and does not wait for it.</summary>
    public Task BeginRescaleAsync(string job, int parallelism) => BeginAsync($"{job}/rescale", new { parallelism });

    /// <summary>How a job is doing, from whichever silo answers.</summary>
    public Task<JsonElement> StatusAsync(string job) => GetAsync($"api/jobs/{job}");

    /// <summary>Waits until the status of a job is as wanted.</summary>
    public async Task<JsonElement> WaitAsync(string job, string wanted, Func<JsonElement, bool> isWanted, TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        JsonElement status = default;
        while (!limit.IsCancellationRequested)
        {
            try
            {
                status = await StatusAsync(job);
                if (isWanted(status)) return status;
                if (Text(status, "phase") == "failed") break;
            }
            catch (Exception error) when (IsPassing(error))
            {
                // A silo died while it was asked.
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException($"Job '{job}' did not come to be {wanted}. Its last status: {status}\n{Printed}");
    }

    /// <summary>Waits until a job has finished.</summary>
    public Task<JsonElement> FinishAsync(string job, TimeSpan? patience = null) => WaitAsync(job, "finished", static status => Text(status, "phase") == "finished", patience);

    /// <summary>Waits until a checkpoint of a job is published that is newer than what there was.</summary>
    public Task<JsonElement> NextCheckpointAsync(string job, string? than = null) =>
        WaitAsync(job, $"past checkpoint {than ?? "none"}", status => Checkpoint(status) is { } id && id != than);

    /// <summary>The id of the newest checkpoint of the attempt; null before the first.</summary>
    public static string? Checkpoint(JsonElement status) => status.GetProperty("summary").GetProperty("lastCheckpoint") is { ValueKind: JsonValueKind.Object } last ? last.GetProperty("id").GetString() : null;

    public static string Text(JsonElement status, string name) => status.GetProperty("summary").GetProperty(name).ToString();

    /// <summary>The silo that leads a job.</summary>
    public async Task<SiloNode> LeaderAsync(string job)
    {
        var status = await StatusAsync(job);
        return Living.Single(node => Leads(node, status));
    }

    /// <summary>Waits until another silo than one leads the running job; returns it.</summary>
    public async Task<SiloNode> OtherLeaderAsync(string job, SiloNode than)
    {
        var status = await WaitAsync(job, $"led by another silo than {than.Address}", status => Text(status, "phase") == "running" && Living.Any(node => node != than && Leads(node, status)));
        return Living.Single(node => Leads(node, status));
    }

    /// <summary>Which run of the job it is, from 1; the number of the last one when none runs.</summary>
    public static int Attempt(JsonElement status) => status.GetProperty("summary").GetProperty("attempt").GetInt32();

    /// <summary>All that all silos have printed.</summary>
    public string Printed => string.Join('\n', _nodes.Select(static (node, i) => $"--- silo {i} ({node.Address}{(node.IsAlive ? "" : ", gone")})\n{node.Printed}"));

    /// <summary>The warnings and errors among them.</summary>
    public string Complaints => string.Join('\n', _nodes.SelectMany(static (node, i) =>
    {
        var lines = node.Printed.Split('\n');
        return lines.Zip(lines.Skip(1)).Where(static two => two.First.StartsWith("warn: ", StringComparison.Ordinal) || two.First.StartsWith("fail: ", StringComparison.Ordinal))
            .Select(two => $"silo {i}: {two.First} {two.Second.Trim()}");
    }));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    private static bool Leads(SiloNode node, JsonElement status) => status.GetProperty("leader").GetString()!.StartsWith($"{node.Address}@", StringComparison.Ordinal);

    private async Task<string> BeginAsync(string path, object body)
    {
        using var answer = await AskAsync(node => _http.PostAsJsonAsync(new Uri(node.Http, $"api/jobs/{path}"), body, Json));
        if (answer.StatusCode != HttpStatusCode.Accepted) Assert.Fail($"{path} was answered with {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}\n{Printed}");
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Json)).GetProperty("id").GetString()!;
    }

    private async Task OperateAsync(string path, object body)
    {
        var id = await BeginAsync(path, body);
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var operation = await GetAsync($"api/operations/{id}");
            switch (operation.GetProperty("state").GetString())
            {
                case "done": return;
                case "failed": Assert.Fail($"{path} failed: {operation}\n{Printed}"); break;
            }

            await Task.Delay(20, limit.Token);
        }
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await AskAsync(node => _http.GetAsync(new Uri(node.Http, path)));
        return await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(Json);
    }

    /// <summary>Asks one living silo after another until one answers.</summary>
    private async Task<HttpResponseMessage> AskAsync(Func<SiloNode, Task<HttpResponseMessage>> ask)
    {
        Exception? last = null;
        foreach (var node in Living.Where(static node => !node.IsPaused).ToList())
        {
            try
            {
                var answer = await ask(node);
                if (answer.StatusCode != HttpStatusCode.ServiceUnavailable) return answer;
                last = new HttpRequestException(await answer.Content.ReadAsStringAsync());
                answer.Dispose();
            }
            catch (Exception error) when (IsPassing(error))
            {
                last = error;
            }
        }

        throw new HttpRequestException($"No silo answered: {last?.Message}\n{Printed}", last);
    }

    private static bool IsPassing(Exception error) => error is HttpRequestException or TaskCanceledException or IOException;
}
