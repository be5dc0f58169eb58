using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansStream.GrainStorage;
using OrleansStream.Hosting;

namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>The storage itself, as a silo is given it. The silo does not run: the container is made by the first write.</summary>
public sealed class BlobGrainStorageTests(Azurite azurite)
{
    private static readonly GrainId Grain = GrainId.Create("counter", "anna/1");

    private readonly string _container = azurite.NewContainer();

    [Fact]
    public async Task What_was_written_is_read_back_by_another_activation()
    {
        using var silo = await BuildAsync();
        var (written, read) = (new GrainState<Counter>(new Counter { Value = 7 }), new GrainState<Counter>());
        await Storage(silo).WriteStateAsync("count", Grain, written);
        await Storage(silo).ReadStateAsync("count", Grain, read);
        Assert.Equal((7, true), (read.State!.Value, read.RecordExists));
        Assert.Equal(written.ETag, read.ETag);
        Assert.True(written.RecordExists);
    }

    [Fact]
    public async Task A_blob_has_the_name_and_the_content_that_Orleans_own_package_gives_it()
    {
        using var silo = await BuildAsync();
        await Storage(silo).WriteStateAsync("count", Grain, new GrainState<Counter>(new Counter { Value = 7 }));
        var blob = (await azurite.ClientAsync()).GetBlobContainerClient(_container).GetBlobClient("count-counter/anna/1.json");
        var content = (await blob.DownloadContentAsync(TestContext.Current.CancellationToken)).Value;
        Assert.Equal("application/octet-stream", content.Details.ContentType);
        Assert.Contains("\"Value\":7", content.Content.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_reads_as_a_new_state_without_a_record()
    {
        using var silo = await BuildAsync();
        var absent = new GrainState<Counter> { ETag = "old", RecordExists = true };
        await Storage(silo).ReadStateAsync("count", Grain, absent);
        Assert.Equal((0, false, null), (absent.State!.Value, absent.RecordExists, absent.ETag));
    }

    [Fact]
    public async Task A_first_write_over_what_another_wrote_is_inconsistent()
    {
        using var silo = await BuildAsync();
        await Storage(silo).WriteStateAsync("count", Grain, new GrainState<Counter>(new Counter { Value = 1 }));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage(silo).WriteStateAsync("count", Grain, new GrainState<Counter>(new Counter { Value = 2 })));
        Assert.Equal(1, await ValueAsync(silo));
    }

    [Fact]
    public async Task An_update_of_what_another_updated_or_cleared_is_inconsistent()
    {
        using var silo = await BuildAsync();
        var state = new GrainState<Counter>(new Counter { Value = 1 });
        await Storage(silo).WriteStateAsync("count", Grain, state);
        var stale = new GrainState<Counter>(new Counter { Value = 99 }, state.ETag);
        state.State!.Value = 2;
        await Storage(silo).WriteStateAsync("count", Grain, state);
        var refused = await Assert.ThrowsAsync<InconsistentStateException>(() => Storage(silo).WriteStateAsync("count", Grain, stale));
        Assert.Contains("count-counter/anna/1.json", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, await ValueAsync(silo));
        await Storage(silo).ClearStateAsync("count", Grain, state);
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage(silo).WriteStateAsync("count", Grain, stale));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage(silo).WriteStateAsync("count", Grain, new GrainState<Counter>(new Counter(), "\"0x1\"")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cleared_state_reads_as_none_and_can_be_written_again(bool deletes)
    {
        using var silo = await BuildAsync(options => options.DeleteStateOnClear = deletes);
        var state = new GrainState<Counter>(new Counter { Value = 1 });
        await Storage(silo).WriteStateAsync("count", Grain, state);
        await Storage(silo).ClearStateAsync("count", Grain, state);
        Assert.Equal((0, false), (state.State!.Value, state.RecordExists));
        var blob = (await azurite.ClientAsync()).GetBlobContainerClient(_container).GetBlobClient("count-counter/anna/1.json");
        Assert.Equal(!deletes, (await blob.ExistsAsync(TestContext.Current.CancellationToken)).Value);

        var read = new GrainState<Counter>(new Counter { Value = 5 });
        await Storage(silo).ReadStateAsync("count", Grain, read);
        Assert.Equal((0, false, deletes), (read.State!.Value, read.RecordExists, read.ETag is null));
        read.State!.Value = 3;
        await Storage(silo).WriteStateAsync("count", Grain, read);
        Assert.Equal(3, await ValueAsync(silo));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Clearing_what_another_wrote_is_inconsistent_whether_it_was_read_or_not(bool deletes)
    {
        using var silo = await BuildAsync(options => options.DeleteStateOnClear = deletes);
        var state = new GrainState<Counter>(new Counter { Value = 1 });
        await Storage(silo).WriteStateAsync("count", Grain, state);
        var stale = new GrainState<Counter>(new Counter(), state.ETag);
        await Storage(silo).WriteStateAsync("count", Grain, state);
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage(silo).ClearStateAsync("count", Grain, stale));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage(silo).ClearStateAsync("count", Grain, new GrainState<Counter>(new Counter())));
        Assert.Equal(1, await ValueAsync(silo));
    }

    [Fact]
    public async Task Clearing_what_is_not_there_does_nothing()
    {
        using var silo = await BuildAsync();
        var state = new GrainState<Counter>(new Counter { Value = 1 });
        await Storage(silo).WriteStateAsync("other", Grain, state);
        var never = new GrainState<Counter>(new Counter { Value = 5 });
        await Storage(silo).ClearStateAsync("count", Grain, never);
        Assert.Equal((0, false, null), (never.State!.Value, never.RecordExists, never.ETag));
    }

    [Fact]
    public async Task The_serializer_is_that_of_the_options_else_that_of_the_storages_name_else_the_silos()
    {
        using var ofOptions = await BuildAsync(static options => options.GrainStorageSerializer = new Marked("options"), static services => services.AddKeyedSingleton<IGrainStorageSerializer>("blobs", new Marked("name")));
        using var ofName = await BuildAsync(null, static services => services.AddKeyedSingleton<IGrainStorageSerializer>("blobs", new Marked("name")).AddSingleton<IGrainStorageSerializer>(new Marked("silo")));
        using var ofSilo = await BuildAsync(null, static services => services.AddSingleton<IGrainStorageSerializer>(new Marked("silo")));
        foreach (var (silo, mark) in new[] { (ofOptions, "options"), (ofName, "name"), (ofSilo, "silo") })
        {
            await Storage(silo).WriteStateAsync(mark, Grain, new GrainState<Counter>(new Counter()));
            var blob = (await azurite.ClientAsync()).GetBlobContainerClient(_container).GetBlobClient($"{mark}-counter/anna/1.json");
            Assert.Equal(mark, (await blob.DownloadContentAsync(TestContext.Current.CancellationToken)).Value.Content.ToString());
        }
    }

    [Theory]
    [InlineData(false, "grainstate", "BlobServiceClient is not set")]
    [InlineData(true, "Grains", "'G' is not one of")]
    public async Task A_storage_that_cannot_work_is_refused_before_the_silo_starts(bool hasClient, string container, string reason)
    {
        var client = await azurite.ClientAsync();
        using var silo = Build(options =>
        {
            if (hasClient) options.BlobServiceClient = client;
            options.ContainerName = container;
        });
        var refused = Assert.Throws<OrleansConfigurationException>(() => silo.Services.GetServices<IConfigurationValidator>().ToList().ForEach(static validator => validator.ValidateConfiguration()));
        Assert.Contains("Grain storage 'blobs'", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_defaults_are_those_of_Orleans_own_package()
    {
        var options = new BlobGrainStorageOptions();
        Assert.Equal(("grainstate", true, ServiceLifecycleStage.ApplicationServices), (options.ContainerName, options.DeleteStateOnClear, options.InitStage));
    }

    private async Task<IHost> BuildAsync(Action<BlobGrainStorageOptions>? configure = null, Action<IServiceCollection>? services = null)
    {
        var client = await azurite.ClientAsync();
        return Build(
            options =>
            {
                options.BlobServiceClient = client;
                options.ContainerName = _container;
                configure?.Invoke(options);
            },
            services);
    }

    private static IHost Build(Action<BlobGrainStorageOptions> configure, Action<IServiceCollection>? services = null) => Host.CreateDefaultBuilder()
        .ConfigureLogging(static logging => logging.ClearProviders())
        .UseOrleans(builder =>
        {
            builder.UseLocalhostClustering();
            services?.Invoke(builder.Services);
            builder.AddBlobGrainStorage("blobs", configure);
        })
        .Build();

    private static IGrainStorage Storage(IHost silo) => silo.Services.GetRequiredKeyedService<IGrainStorage>("blobs");

    private static async Task<int> ValueAsync(IHost silo)
    {
        var state = new GrainState<Counter>();
        await Storage(silo).ReadStateAsync("count", Grain, state);
        return state.State!.Value;
    }

    private sealed class Marked(string mark) : IGrainStorageSerializer
    {
        public BinaryData Serialize<T>(T? input) => BinaryData.FromString(mark);

        public T? Deserialize<T>(BinaryData input) => default;
    }
}
