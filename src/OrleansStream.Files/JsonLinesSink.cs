using System.Text.Json.Serialization.Metadata;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream;

/// <summary>A file of JSON lines, written exactly once. The steps on disk are those of <see cref="PartsFolder"/> and <see cref="FinalFile"/>.</summary>
internal sealed class JsonLinesSink<T>(string path, JsonLinesOutputOptions options, JsonTypeInfo<T> type) : Sink<T>, IOpensFiles
{
    private readonly PartsFolder _folder = new(path);
    private FileAccessRules _rules = FileAccessRules.Unlimited;

    public override SinkGuarantee Guarantee => SinkGuarantee.ExactlyOnce;

    public override bool CanWithdraw => true;

    public void Limit(FileAccessRules rules) => _rules = rules;

    public override ValueTask InitializeAsync(CancellationToken cancellation) => OnDisk(() => _folder.Initialize(options.Overwrite), cancellation);

    public override async ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation)
    {
        await OnDisk(
            () =>
            {
                DurableFiles.CreateFolder(_folder.Folder);
                // One does it for all.
                if (context.Subtask == 0) _folder.Discard(context.Attempt);
            },
            cancellation);
        return new JsonLinesSinkWriter<T>(_folder, context, type);
    }

    public override ValueTask CommitAsync(IReadOnlyList<PendingOutput> outputs, CommitPermit permit, CancellationToken cancellation) =>
        OnDisk(() => _folder.Commit(outputs, permit), cancellation);

    public override ValueTask FinishAsync(long outputs, CommitPermit permit, CancellationToken cancellation) =>
        OnDisk(() => FinalFile.Finish(_folder, outputs, permit, cancellation), cancellation);

    public override ValueTask WithdrawAsync(CheckpointId after, Attempt before, CommitPermit permit, CancellationToken cancellation) =>
        OnDisk(() => _folder.Withdraw(after, before), cancellation);

    private async ValueTask OnDisk(Action action, CancellationToken cancellation)
    {
        try
        {
            await Task.Run(
                () =>
                {
                    _rules.Require(path);
                    _rules.Require(_folder.Folder);
                    action();
                },
                cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StreamException($"The output '{path}' could not be written: {e.Message}", e);
        }
    }
}
