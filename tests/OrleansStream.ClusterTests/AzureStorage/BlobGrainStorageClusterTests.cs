using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansStream.Hosting;

namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>Users' grains whose state is in Azure blobs, on running silos.</summary>
public sealed class BlobGrainStorageClusterTests(Azurite azurite)
{
    [Fact]
    public async Task A_grain_finds_its_state_on_another_silo_after_its_own_is_gone()
    {
        using var folder = new TestFolder();
        var container = azurite.NewContainer();
        await using (var before = await StartAsync(folder, container))
        {
            await Counter(before).AddAsync(3);
            await Counter(before).AddAsync(4);
        }

        await using var after = await StartAsync(folder, container);
        Assert.Equal(7, await Counter(after).ReadAsync());
        await Counter(after).ClearAsync();
        Assert.Equal(1, await Counter(after).AddAsync(1));
    }

    [Fact]
    public async Task Of_two_activations_that_know_nothing_of_each_other_the_later_writer_is_refused_and_then_reads_anew()
    {
        using var folder = new TestFolder();
        var container = azurite.NewContainer();
        await using var one = await StartAsync(folder, container);
        await using var two = await StartAsync(folder, container);
        Assert.Equal((0, 0), (await Counter(one).ReadAsync(), await Counter(two).ReadAsync()));

        Assert.Equal(1, await Counter(one).AddAsync(1));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Counter(two).AddAsync(10));
        Assert.Equal(11, await Counter(two).AddAsync(10));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Counter(one).AddAsync(100));
        await Counter(one).ClearAsync();
        await Assert.ThrowsAsync<InconsistentStateException>(() => Counter(two).AddAsync(1000));
        Assert.Equal((0, 0), (await Counter(one).ReadAsync(), await Counter(two).ReadAsync()));
    }

    [Fact]
    public async Task Many_writers_on_two_silos_lose_and_double_no_update_that_was_answered()
    {
        using var folder = new TestFolder();
        var container = azurite.NewContainer();
        await using var one = await StartAsync(folder, container);
        await using var two = await StartAsync(folder, container);

        var answered = await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            var counter = Counter(writer % 2 == 0 ? one : two);
            var count = 0;
            for (var n = 0; n < 25; n++)
            {
                try
                {
                    await counter.AddAsync(1);
                    count++;
                }
                catch (Exception error) when (error is InconsistentStateException or OrleansMessageRejectionException)
                {
                    // Refused, or sent to an activation that a refusal had ended: not carried out.
                }
            }

            return count;
        }));

        Assert.InRange(answered.Sum(), 1, (8 * 25) - 1);
        await using var third = await StartAsync(folder, container);
        Assert.Equal(answered.Sum(), await Counter(third).ReadAsync());
    }

    private async Task<TestSilos> StartAsync(TestFolder folder, string container)
    {
        var client = await azurite.ClientAsync();
        return await TestSilos.StartAsync(folder["checkpoints"], 1, null, builder => builder.AddBlobGrainStorage("blobs", options =>
        {
            options.BlobServiceClient = client;
            options.ContainerName = container;
        }));
    }

    private static ICounterGrain Counter(TestSilos silos) => silos.Services.GetRequiredService<IGrainFactory>().GetGrain<ICounterGrain>("anna");
}
