using System.IO.Compression;
using System.Text.Json;

namespace OrleansStream.ClusterTests.Packages;

/// <summary>The packages as a stranger gets them: packed, restored from a folder, built and run outside this repository.</summary>
public sealed class ConsumerTests : IDisposable
{
    private const int Records = 5000;
    private const int Sensors = 7;

    private static readonly string[] Packages = ["OrleansStream", "OrleansStream.AzureStorage", "OrleansStream.Dashboard", "OrleansStream.Files", "OrleansStream.Http", "OrleansStream.Testing"];

    private readonly TestFolder _folder = new();
    private readonly string _version = $"0.0.1-test{Random.Shared.NextInt64():x}";

    private string Feed => _folder["feed"];

    [Fact]
    public async Task A_project_with_its_own_records_builds_and_runs_a_job_from_the_packages_alone()
    {
        await PackAsync();
        var consumer = Directory.CreateDirectory(_folder["consumer"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(consumer, "consumer.csproj"), Project(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(consumer, "Program.cs"), Program, TestContext.Current.CancellationToken);
        // Ours come from the feed into a folder of their own, everything else may be there already.
        Dictionary<string, string> environment = new() { ["NUGET_PACKAGES"] = _folder["packages"] };

        await Shell.DotnetAsync(consumer, environment, "build", "-c", "Release", "-p:UseSharedCompilation=false", "-warnaserror");
        var printed = await Shell.DotnetAsync(consumer, environment, Path.Combine("bin", "Release", "net10.0", "consumer.dll"), _folder["checkpoints"], _folder["totals.jsonl"]);

        Assert.Contains("Finished", printed, StringComparison.Ordinal);
        var lines = (await File.ReadAllLinesAsync(_folder["totals.jsonl"], TestContext.Current.CancellationToken)).Select(static line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(Records, lines.Count);
        var last = lines.GroupBy(static line => line.GetProperty("sensor").GetString()!).ToDictionary(static group => group.Key, static group => group.Max(static line => line.GetProperty("sum").GetInt64()));
        Assert.Equal(
            Enumerable.Range(0, Records).GroupBy(static n => $"sensor-{n % Sensors}").ToDictionary(static group => group.Key, static group => group.Sum(static n => (long)n)), last);
    }

    [Fact]
    public async Task Every_package_has_its_documentation_its_readme_and_a_description()
    {
        await PackAsync();
        foreach (var package in Packages)
        {
            using var archive = await ZipFile.OpenReadAsync(Path.Combine(Feed, $"{package}.{_version}.nupkg"), TestContext.Current.CancellationToken);
            var entries = archive.Entries.Select(static entry => entry.FullName).ToList();
            Assert.Contains($"lib/net10.0/{package}.dll", entries);
            Assert.Contains($"lib/net10.0/{package}.xml", entries);
            Assert.Contains("README.md", entries);
            using var specification = new StreamReader(await archive.GetEntry($"{package}.nuspec")!.OpenAsync(TestContext.Current.CancellationToken));
            var text = await specification.ReadToEndAsync(TestContext.Current.CancellationToken);
            // The code generator of Orleans goes to the consumer.
            if (package == "OrleansStream") Assert.Matches("<dependency id=\"Microsoft.Orleans.Sdk\" version=\"[^\"]+\" include=\"All\" />", text);
            Assert.DoesNotContain("Package Description", text, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Packs what was built together with these tests.</summary>
    private async Task PackAsync()
    {
        var configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)))!;
        foreach (var package in Packages)
        {
            await Shell.DotnetAsync(
                Path.Combine(Root(), "src", package), new Dictionary<string, string>(), "pack", "-c", configuration, "--no-build", "-o", Feed, $"-p:Version={_version}");
        }
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "OrleansStream.sln"))) folder = folder.Parent;
        return folder.FullName;
    }

    private string Project() => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <InvariantGlobalization>true</InvariantGlobalization>
            <NuGetAudit>false</NuGetAudit>
            <RestoreAdditionalProjectSources>{Feed}</RestoreAdditionalProjectSources>
            <RestoreFallbackFolders>{MachinePackages()}</RestoreFallbackFolders>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="OrleansStream" Version="{_version}" />
            <PackageReference Include="OrleansStream.Files" Version="{_version}" />
          </ItemGroup>
        </Project>
        """;

    /// <summary>Where this machine keeps restored packages; the SDK's own default where nothing is set.</summary>
    private static string MachinePackages()
    {
        var folder = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        return Directory.Exists(folder) ? folder : "";
    }

    private static string Program => $$"""
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Hosting;
        using Microsoft.Extensions.Logging;
        using OrleansStream;
        using OrleansStream.Functions;
        using OrleansStream.Graph;
        using OrleansStream.Hosting;
        using OrleansStream.Jobs;
        using OrleansStream.Sources;
        using OrleansStream.State;

        using var host = Host.CreateDefaultBuilder()
            .ConfigureLogging(static logging => logging.ClearProviders())
            .UseOrleans(silo => silo
                .UseLocalhostClustering(FreePort(), FreePort())
                .AddOrleansStream(options =>
                {
                    options.Checkpoints.Folder = args[0];
                    options.Checkpoints.Interval = TimeSpan.FromMilliseconds(50);
                    options.ReviveJobs = false;
                })
                .AddStreamJob<TotalsJob>("totals"))
            .Build();
        await host.StartAsync();
        var jobs = host.Services.GetRequiredService<IStreamJobs>();
        await jobs.StartAsync("totals", new JobStart { Parallelism = 2, Arguments = new JobArguments([KeyValuePair.Create("output", args[1])]) });
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var status = await jobs.WaitForEndAsync("totals", limit.Token);
        Console.WriteLine($"{status.Phase} {status.Cause}");
        await host.StopAsync();
        return status.Phase == JobPhase.Finished ? 0 : 1;

        static int FreePort()
        {
            using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
            listener.Start();
            return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        }

        [GenerateSerializer, Immutable]
        public sealed record Reading([property: Id(0)] string Sensor, [property: Id(1)] long Value);

        [GenerateSerializer, Immutable]
        public readonly record struct Total([property: Id(0)] long Count, [property: Id(1)] long Sum);

        public sealed record SensorTotal(string Sensor, long Sum);

        public sealed class Totals : KeyedFunction<string, Reading, SensorTotal>
        {
            private static readonly ValueState<Total> Kept = new("total");

            public override IReadOnlyList<StateDeclaration> States => [Kept];

            public override void Process(in Reading reading, ref KeyedContext<string, SensorTotal> context)
            {
                var before = context.Get(Kept);
                var total = new Total(before.Count + 1, before.Sum + reading.Value);
                context.Set(Kept, total);
                context.Emit(new SensorTotal(context.Key, total.Sum));
            }
        }

        public sealed class TotalsJob : IStreamJob
        {
            public void Define(JobGraph graph, JobArguments args) => graph
                .From("readings", Generator.Of(static n => new Reading($"sensor-{n % {{Sensors}}}", n), {{Records}}, splits: 2), recordsPerSecond: 20_000)
                .KeyBy(static reading => reading.Sensor)
                .Process("totals", static _ => new Totals())
                .To("output", Files.JsonLinesOutput<SensorTotal>(args.Require("output")));
        }
        """;
}
