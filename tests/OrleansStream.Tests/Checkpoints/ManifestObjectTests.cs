using OrleansStream.Checkpoints;

namespace OrleansStream.Tests.Checkpoints;

public sealed class ManifestObjectTests
{
    private static readonly Manifest Manifest = Samples.Manifest(Samples.Id(2, 3), Samples.Segment(Samples.Id(2, 3)));

    private readonly InMemoryStore _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_written_is_read_by_its_reference()
    {
        var reference = await WriteAsync(Manifest);
        Assert.Equal(Manifest.Id, reference.Id);
        Assert.Equal(Manifest.Generation, reference.Generation);
        Assert.True(reference.Final);
        Assert.Equal(100, reference.StateBytes);
        Assert.Equal(_store.Read(reference.Name)!.Length, reference.LengthBytes);
        Assert.Equal(ManifestObject.Encode(Manifest), ManifestObject.Encode(await ReadAsync(reference)));
    }

    [Fact]
    public async Task Writing_again_after_an_unknown_outcome_gives_the_same_reference() => Assert.Equal(await WriteAsync(Manifest), await WriteAsync(Manifest));

    [Fact]
    public async Task Another_manifest_of_the_same_checkpoint_is_refused()
    {
        await WriteAsync(Manifest);
        await Assert.ThrowsAsync<DamagedObjectException>(() => WriteAsync(Manifest with { Fingerprint = "other" }));
    }

    [Fact]
    public async Task A_manifest_that_was_written_and_tidied_away_before_its_writer_heard_of_it_is_written_again()
    {
        var reference = await WriteAsync(Manifest);
        _store.BeforeRead = name =>
        {
            _store.Delete(name);
            return Task.CompletedTask;
        };

        Assert.Equal(reference, await WriteAsync(Manifest));
        Assert.NotNull(_store.Read(reference.Name));
    }

    [Fact]
    public async Task A_missing_manifest_is_damage_that_names_it()
    {
        var reference = await WriteAsync(Manifest);
        _store.Delete(reference.Name);
        var damaged = await Assert.ThrowsAsync<DamagedObjectException>(() => ReadAsync(reference));
        Assert.Equal(reference.Name, damaged.ObjectName);
        Assert.Contains("it is missing", damaged.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_that_is_whole_but_not_the_published_one_is_refused()
    {
        var reference = await WriteAsync(Manifest);
        _store.Overwrite(reference.Name, ManifestObject.Encode(Manifest with { Fingerprint = "abd" }));
        Assert.Contains("not the published one", (await Assert.ThrowsAsync<DamagedObjectException>(() => ReadAsync(reference))).Message, StringComparison.Ordinal);

        _store.Overwrite(reference.Name, ManifestObject.Encode(Manifest with { Fingerprint = "longer" }));
        Assert.Contains("bytes where", (await Assert.ThrowsAsync<DamagedObjectException>(() => ReadAsync(reference))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_of_another_job_or_checkpoint_is_refused()
    {
        var reference = await WriteAsync(Manifest);
        await Assert.ThrowsAsync<DamagedObjectException>(() => ManifestObject.ReadAsync(_store, "other", reference, Samples.Retry(), Cancellation));
        await Assert.ThrowsAsync<DamagedObjectException>(() => ReadAsync(reference with { Id = Samples.Id(2, 4) }));
    }

    private Task<ManifestRef> WriteAsync(Manifest manifest) => ManifestObject.WriteAsync(_store, manifest, Samples.At, Samples.Retry(), Cancellation);

    private Task<Manifest> ReadAsync(ManifestRef reference) => ManifestObject.ReadAsync(_store, Samples.Job, reference, Samples.Retry(), Cancellation);
}
