using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json;
using OrleansStream.Http;

namespace OrleansStream.Benchmarks.Cluster;

/// <summary>Three silos as processes, brought up and taken down by <c>deploy/local/cluster.sh</c> with data in a folder of their own, and the job <c>allround</c> on them, asked over HTTP as a user would.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    public const int Silos = 3;

    private const string Job = "allround";
    private const int FirstSiloPort = 11111;

    /// <summary>More than any run reads.</summary>
    private const long Events = 40_000_000;

    /// <summary>A status is asked for again and again: often enough for what is measured, and seldom enough to cost little.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(2);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private static bool _isBuilt;

    private readonly HttpClient _http = new() { Timeout = LongestAnswer };
    private readonly DirectoryInfo _folder;
    private readonly CancellationToken _cancellation;
    private bool _isRight;

    private LocalCluster(DirectoryInfo folder, CancellationToken cancellation) => (_folder, _cancellation) = (folder, cancellation);

    /// <summary>Brings up a cluster whose job has run for as long as is asked.</summary>
    public static async Task<LocalCluster> StartAsync(ClusterSettings settings, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux()) throw new BadSettingsException("A cluster is brought up by deploy/local/cluster.sh, which needs Linux.");
        await Console.Error.WriteLineAsync($"Bringing up {Silos} silos ...");
        var cluster = new LocalCluster(Directory.CreateTempSubdirectory("cluster-"), cancellation);
        try
        {
            List<string> up = ["up", "--silos", $"{Silos}", "--storage", settings.Storage];
            if (_isBuilt) up.Add("--no-build");
            await cluster.ScriptAsync(up, cancellation);
            _isBuilt = true;
            await cluster.BeginAsync(settings);
            if (settings.After > TimeSpan.Zero) await Console.Error.WriteLineAsync(FormattableString.Invariant($"The job runs; it is measured in {settings.After.TotalSeconds:0.###} s ..."));
            await Task.Delay(settings.After, cancellation);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>What was measured is complete: the logs and data of the silos are not needed any more.</summary>
    public void Forget() => _isRight = true;

    public Task KillAsync(int silo) => ScriptAsync(["kill", $"{silo}"], _cancellation);

    /// <summary>Asks a silo to leave, and waits until it has ended.</summary>
    public Task LeaveAsync(int silo) => ScriptAsync(["leave", $"{silo}"], _cancellation);

    public async Task RescaleAsync(int parallelism) => await PostAsync("rescale", new { parallelism });

    /// <summary>A silo that is asked when something happens to one.</summary>
    public static int OtherThan(int silo) => (silo % Silos) + 1;

    /// <summary>Waits until the job runs and has a committed checkpoint.</summary>
    public Task<JobView> SettledAsync(int silo) =>
        WaitAsync(silo, "running with a committed checkpoint", static status => status.Summary is { Phase: "running", LastCheckpoint.State: "committed" });

    /// <summary>Waits until the status of the job is as wanted; questions that are not answered are put again.</summary>
    /// <param name="silo">The silo that is asked.</param>
    /// <param name="wanted">What is waited for, in words.</param>
    /// <param name="isWanted">Whether it is so.</param>
    /// <param name="longest">How long to wait; 2 min when null.</param>
    public async Task<JobView> WaitAsync(int silo, string wanted, Func<JobView, bool> isWanted, TimeSpan? longest = null)
    {
        var patience = longest ?? Patience;
        var began = Stopwatch.GetTimestamp();
        var last = "none";
        while (Stopwatch.GetElapsedTime(began) < patience)
        {
            try
            {
                var status = await _http.GetFromJsonAsync<JobView>(new Uri(AddressOf(silo), $"api/jobs/{Job}"), Json, _cancellation);
                if (isWanted(status!)) return status!;
                last = string.Create(CultureInfo.InvariantCulture, $"{status!.Summary.Phase}, attempt {status.Summary.Attempt}, {status.Summary.Cause ?? status.Summary.Moving ?? "no trouble"}");
                if (status.Summary.Phase == "failed") break;
            }
            catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException && !_cancellation.IsCancellationRequested)
            {
                // The silo that leads the job has gone, and another one does not yet.
            }

            await Task.Delay(Pause, _cancellation);
        }

        throw new InvalidOperationException($"The job did not come to be {wanted} in {patience.TotalSeconds:0} s. Its last status: {last}. Logs of the silos: {_folder.FullName}");
    }

    /// <summary>Whether a silo leads the job.</summary>
    public static bool Leads(int silo, JobView status) => status.Leader?.StartsWith($"{IPAddress.Loopback}:{FirstSiloPort + silo - 1}@", StringComparison.Ordinal) == true;

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await ScriptAsync(["down"], CancellationToken.None);
        if (_isRight || _cancellation.IsCancellationRequested) _folder.Delete(recursive: true);
    }

    private static Uri AddressOf(int silo) => new($"http://localhost:{8080 + silo}/");

    private async Task BeginAsync(ClusterSettings settings)
    {
        var output = Path.Combine(_folder.FullName, "files", Job);
        await PostAsync("start", new
        {
            parallelism = settings.Parallelism,
            checkpointInterval = $"{settings.CheckpointInterval.TotalMilliseconds:0}ms",
            recordsPerSecond = settings.Rate,
            arguments = new Dictionary<string, string> { ["events"] = $"{Events}", ["keys"] = $"{settings.Keys}", ["stateBytes"] = "100", ["output"] = output },
        });
        await WaitAsync(silo: 1, "running", static status => status.Summary.Phase == "running");
    }

    private async Task PostAsync(string verb, object body)
    {
        using var answer = await _http.PostAsJsonAsync(new Uri(AddressOf(1), $"api/jobs/{Job}/{verb}"), body, Json, _cancellation);
        if (answer.StatusCode != HttpStatusCode.Accepted) throw new InvalidOperationException($"{verb} was answered with {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(_cancellation)}");
    }

    private async Task ScriptAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var script = typeof(LocalCluster).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static entry => entry.Key == "ClusterScript").Value!;
        var start = new ProcessStartInfo("bash", [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ORLEANSSTREAM_CLUSTER_RUN"] = _folder.FullName;
        using var process = Process.Start(start)!;
        var (printed, complained) = (process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0) throw new InvalidOperationException($"deploy/local/cluster.sh {string.Join(' ', arguments)} failed:\n{await printed}{await complained}");
    }
}
