using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using Azure.Storage.Blobs;
using OrleansStream.ClusterTests.AzureStorage;
using OrleansStream.ClusterTests.Packages;

[assembly: AssemblyFixture(typeof(Azurite))]

namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>
/// Azurite, the emulator of Azure Storage, for all tests of this assembly: installed beside them from the lock file and started when the first test asks for it, in memory, on a free
/// port of the loopback address, with a key of its own. It ends with the tests, and also when they are killed.
/// </summary>
public sealed class Azurite : IAsyncDisposable
{
    private const string Account = "tests";
    private const int MostAccounts = 40;
    private const string Listens = "successfully listens on ";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, "AzureStorage", "Emulator");
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly ConcurrentQueue<string> _printed = new();
    private readonly Lazy<Task<string>> _connection;
    private Process? _process;
    private int _containers;
    private int _accounts;

    public Azurite() => _connection = new Lazy<Task<string>>(InstallAndStartAsync);

    /// <summary>The connection string of an account that is there for these tests only.</summary>
    public Task<string> ConnectionStringAsync() => _connection.Value;

    /// <summary>The connection string of an account that no other test uses, for what cannot be told a container.</summary>
    public async Task<string> NewAccountAsync()
    {
        var number = Interlocked.Increment(ref _accounts);
        if (number > MostAccounts) throw new InvalidOperationException($"All {MostAccounts} accounts are taken: make more.");
        return (await ConnectionStringAsync()).Replace($"AccountName={Account};", $"AccountName={Account}{number};", StringComparison.Ordinal)
            .Replace($"/{Account};", $"/{Account}{number};", StringComparison.Ordinal);
    }

    /// <summary>A client of the account.</summary>
    public async Task<BlobServiceClient> ClientAsync() => new(await ConnectionStringAsync());

    /// <summary>The name of a container that no other test uses.</summary>
    public string NewContainer() => $"test-{Interlocked.Increment(ref _containers)}";

    public async ValueTask DisposeAsync()
    {
        if (_process is not { } process) return;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task<string> InstallAndStartAsync()
    {
        try
        {
            await InstallAsync();
            return await StartAsync();
        }
        catch (Win32Exception error)
        {
            throw new InvalidOperationException(
                $"These tests run Azurite, the emulator of Azure Storage. Install Node.js 20 or newer with npm, so that 'node' and 'npm' are on the PATH (Debian: apt-get install nodejs npm), and run them again. {error.Message}",
                error);
        }
    }

    private async Task<string> StartAsync()
    {
        var start = new ProcessStartInfo("node", ["azurite.cjs", "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"])
        {
            WorkingDirectory = _folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["AZURITE_ACCOUNTS"] = string.Join(';', Enumerable.Range(0, MostAccounts + 1).Select(number => $"{Account}{(number == 0 ? "" : number)}:{_key}"));
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data, address);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, address);
        _process.Exited += (_, _) => address.TrySetException(new InvalidOperationException("Azurite ended."));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            return $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={_key};BlobEndpoint={await address.Task.WaitAsync(Patience)}/{Account};";
        }
        catch (Exception error) when (error is TimeoutException or InvalidOperationException)
        {
            throw new InvalidOperationException($"Azurite did not start in {Patience.TotalSeconds} s. It printed:\n{string.Join('\n', _printed)}", error);
        }
    }

    /// <summary>Installs what the lock file names, unless that is done.</summary>
    private async Task InstallAsync()
    {
        var done = Path.Combine(_folder, "installed");
        var wanted = Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(_folder, "package-lock.json"))));
        if (File.Exists(done) && await File.ReadAllTextAsync(done) == wanted) return;
        var npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
        await Shell.RunAsync(npm, _folder, new Dictionary<string, string>(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier");
        await File.WriteAllTextAsync(done, wanted);
    }

    private void Take(string? line, TaskCompletionSource<string> address)
    {
        if (line is null) return;
        _printed.Enqueue(line);
        if (line.IndexOf(Listens, StringComparison.Ordinal) is >= 0 and var at) address.TrySetResult(line[(at + Listens.Length)..].Trim());
    }
}
