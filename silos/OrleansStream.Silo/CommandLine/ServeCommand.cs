using System.CommandLine;
using System.Net;
using OrleansStream.Http;
using OrleansStream.Jobs;
using OrleansStream.Silo.CommandLine.Client;
using OrleansStream.Silo.Hosting;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary><c>serve</c>: one silo of a cluster, until it is stopped.</summary>
internal sealed class ServeCommand(Screen screen)
{
    public const string Name = "serve";

    private readonly Option<ClusterPlace?> _clustering = new("--clustering")
    {
        Description = "Where the silos of the cluster find each other: a Redis, or what speaks its protocol.",
        HelpName = ClusterPlace.Forms,
        Required = true,
        CustomParser = static result =>
        {
            var place = ClusterPlace.Parse(result.Tokens[^1].Value);
            if (place is null) result.AddError($"'{result.Tokens[^1].Value}' is no place for --clustering: write {ClusterPlace.Forms}.");
            return place;
        },
    };

    private readonly Option<StoragePlace?> _storage = new("--storage")
    {
        Description = "Where checkpoints go: a storage account (UseDevelopmentStorage=true for Azurite on its usual port), or a folder that all silos share.",
        HelpName = "azure=CONNECTION_STRING|folder=PATH",
        Required = true,
        CustomParser = static result =>
        {
            var place = StoragePlace.Parse(result.Tokens[^1].Value);
            if (place is null) result.AddError($"--storage takes {StoragePlace.Forms}.");
            return place;
        },
    };

    private readonly Option<string?> _cluster = new("--cluster-id") { Description = "The cluster's name: silos of one name are one cluster. orleansstream unless given.", HelpName = "NAME" };

    private readonly Option<IPAddress?> _siloAddress = new("--silo-address")
    {
        Description = "The IP address of this machine that the other silos reach this one by. 127.0.0.1 unless given, which is for a cluster on one machine.",
        HelpName = "IP",
        CustomParser = static result =>
        {
            if (IPAddress.TryParse(result.Tokens[^1].Value, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)) return address;
            result.AddError($"'{result.Tokens[^1].Value}' is no address for --silo-address: write one IP address of this machine, like 10.0.0.7.");
            return null;
        },
    };

    private readonly Option<IPAddress?> _httpAddress = new("--http-address")
    {
        Description = "The IP address at which the status page and the HTTP interface answer, 0.0.0.0 for all of this machine. 127.0.0.1 unless given; any other needs an API key or --jwt-authority.",
        HelpName = "IP",
        CustomParser = static result =>
        {
            if (IPAddress.TryParse(result.Tokens[^1].Value, out var address)) return address;
            result.AddError($"'{result.Tokens[^1].Value}' is no address for --http-address: write an IP address, like 0.0.0.0.");
            return null;
        },
    };

    private readonly Option<string?> _apiKeyFile = new("--api-key-file") { Description = $"A file with the key that HTTP asks for in the header X-Api-Key. Without it the key is that of the environment variable {ClusterClient.KeyVariable}, if set.", HelpName = "FILE" };
    private readonly Option<string?> _jwtAuthority = new("--jwt-authority") { Description = "Take bearer tokens of this authority over HTTP, with the role orleansstream.read or orleansstream.operate.", HelpName = "URL" };
    private readonly Option<string?> _jwtAudience = new("--jwt-audience") { Description = "Whom those tokens must be made out to.", HelpName = "NAME" };
    private readonly Option<string[]> _files = new("--files") { Description = "A folder whose files jobs may open; may be given several times. Without it no job that is started over HTTP may be given arguments.", HelpName = "DIR" };
    private readonly Option<int?> _siloPort = RunOptions.Port("--silo-port", "Where other silos reach this one. 11111 unless given.");
    private readonly Option<int?> _gatewayPort = RunOptions.Port("--gateway-port", "Where Orleans clients reach this silo. 30000 unless given.");
    private readonly Option<int?> _httpPort = RunOptions.Port("--http-port", "The port of the status page and the HTTP interface. 8081 unless given.");
    private readonly Option<TimeSpan?> _checkpointInterval = RunOptions.Duration("--checkpoint-interval", "Time between checkpoints of jobs that do not say otherwise. 10s unless given.", TimeSpan.FromMilliseconds(10));

    private readonly Option<string?> _localSnapshots = new("--local-snapshots")
    {
        Description = "A folder of this silo's own in which it keeps the snapshots that it wrote, so that it, or a silo that asks it, need not read them from the storage. None unless given.",
        HelpName = "DIR",
    };

    public Command Build(Guard guard)
    {
        var command = new Command(Name, "Run one silo of a cluster until Ctrl-C or SIGTERM, upon which it hands what it runs over to the others. Start it several times, with different ports or on several machines.")
        {
            _clustering, _storage, _cluster, _siloAddress, _siloPort, _gatewayPort, _httpAddress, _httpPort, _apiKeyFile, _jwtAuthority, _jwtAudience, _files, _checkpointInterval, _localSnapshots,
        };
        command.SetAction(guard(RunAsync));
        return command;
    }

    private StreamApiKey? ApiKeyOf(ParseResult parsed) =>
        parsed.GetValue(_apiKeyFile) is { } file ? StreamApiKey.FromFile(file) : StreamApiKey.FromEnvironment(ClusterClient.KeyVariable);

    private StreamJwtOptions? JwtOf(ParseResult parsed) => (parsed.GetValue(_jwtAuthority), parsed.GetValue(_jwtAudience)) switch
    {
        (null, null) => null,
        ({ } authority, { } audience) => new StreamJwtOptions { Authority = authority, Audience = audience },
        _ => throw new JobRefusedException("--jwt-authority and --jwt-audience belong together: give both or none."),
    };

    private async Task<int> RunAsync(ParseResult parsed, bool verbose, CancellationToken cancellation)
    {
        var defaults = new ClusterSettings { Clustering = parsed.GetRequiredValue(_clustering)!, Storage = parsed.GetRequiredValue(_storage)! };
        var settings = defaults with
        {
            ClusterId = parsed.GetValue(_cluster) ?? defaults.ClusterId,
            SiloAddress = parsed.GetValue(_siloAddress) ?? defaults.SiloAddress,
            SiloPort = parsed.GetValue(_siloPort) ?? defaults.SiloPort,
            GatewayPort = parsed.GetValue(_gatewayPort) ?? defaults.GatewayPort,
            HttpPort = parsed.GetValue(_httpPort) ?? defaults.HttpPort,
            HttpAddress = parsed.GetValue(_httpAddress) ?? defaults.HttpAddress,
            ApiKeys = ApiKeyOf(parsed) is { } key ? [key] : [],
            Jwt = JwtOf(parsed),
            Files = parsed.GetValue(_files) ?? [],
            CheckpointInterval = parsed.GetValue(_checkpointInterval),
            LocalSnapshots = parsed.GetValue(_localSnapshots),
            Verbose = verbose,
        };
        try
        {
            await using var silo = await ClusterSilo.StartAsync(settings, screen, cancellation);
            screen.WriteLine($"Silo {settings.SiloAddress}:{settings.SiloPort} is up in cluster {settings.ClusterId}; checkpoints in {settings.Storage}. Ctrl-C stops it.");
            screen.WriteLine($"Status page: http://localhost:{settings.HttpPort}");
            await silo.WaitForEndAsync(cancellation);
            screen.WriteError("error: The silo has left the cluster: the others declared it dead, because it did not answer for a while. What it ran goes on elsewhere; start it again.");
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            screen.WriteLine("Stopped.");
            return ExitCode.Done;
        }
    }
}
