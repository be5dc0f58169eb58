using System.Globalization;
using System.IO.Hashing;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream;

/// <summary>
/// Makes one file of the committed parts, in the order of attempt, checkpoint and subtask.
/// <para>Order of steps: parts are copied to a temporary file, which is synchronized and renamed to the final name; then the marker is written; then the parts are
/// deleted. So until the marker is durable everything can be done again, and once it is, nothing is left to do but tidying. A lock file keeps two coordinators
/// of one job from writing the temporary file at once.</para>
/// </summary>
internal static class FinalFile
{
    private const string LockName = "finish.lock";
    private const string TemporaryName = "final.tmp";
    private const int CopyBytes = 1 << 20;

    public static void Finish(PartsFolder folder, long outputs, CommitPermit permit, CancellationToken cancellation)
    {
        DurableFiles.CreateFolder(folder.Folder);
        using var only = Lock(folder);
        if (FinishedMarker.Read(folder) is { } finished)
            Verify(folder, finished, outputs, permit);
        else
            Write(folder, outputs, permit, cancellation);
        folder.DeleteParts();
    }

    /// <summary>Removes what is left of another run's end.</summary>
    public static void RemoveTraces(PartsFolder folder)
    {
        File.Delete(folder.In(FinishedMarker.Name));
        File.Delete(folder.In(TemporaryName));
        File.Delete(folder.In(LockName));
    }

    private static void Write(PartsFolder folder, long outputs, CommitPermit permit, CancellationToken cancellation)
    {
        var parts = folder.Committed();
        if (parts.Count != outputs)
            throw new StreamException($"The output '{folder.Path}' cannot be finished: the job committed {outputs} parts, but '{folder.Folder}' holds {parts.Count}. Restore the folder, or start over with --fresh.");
        if (parts.Count > 0 && parts[^1].Checkpoint > permit.Checkpoint)
            throw new StreamException($"The part '{parts[^1].Committed}' in '{folder.Folder}' is later than the final checkpoint {permit.Checkpoint}: another run writes to this output.");
        var temporary = folder.In(TemporaryName);
        var hash = new XxHash128();
        long bytes;
        folder.BeforeStep("write " + TemporaryName);
        using (var target = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            foreach (var part in parts) Append(target, folder.In(part.Committed), hash, cancellation);
            bytes = target.Length;
            folder.BeforeStep("sync " + TemporaryName);
            target.Flush(flushToDisk: true);
        }

        folder.BeforeStep("rename to " + folder.Path);
        File.Move(temporary, folder.Path, overwrite: true);
        DurableFiles.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(folder.Path))!);
        new FinishedMarker(permit.Checkpoint, outputs, bytes, hash.GetCurrentHashAsUInt128()).Write(folder);
    }

    private static void Verify(PartsFolder folder, FinishedMarker finished, long outputs, CommitPermit permit)
    {
        if (finished.Parts != outputs || finished.Checkpoint > permit.Checkpoint)
            throw new StreamException($"The output '{folder.Path}' was finished with {finished.Parts} parts at checkpoint {finished.Checkpoint}, but {outputs} parts at {permit.Checkpoint} are to be finished now: it belongs to another run.");
        var file = new FileInfo(folder.Path);
        if (!file.Exists) throw new StreamException($"The output '{folder.Path}' was finished, but is no longer there. Restore it, or start over with --fresh.");
        if (file.Length != finished.Bytes)
            throw new StreamException($"The output '{folder.Path}' was finished with {finished.Bytes} bytes, but has {file.Length}: something changed it. Restore it, or start over with --fresh.");
    }

    private static void Append(FileStream target, string part, XxHash128 hash, CancellationToken cancellation)
    {
        var block = new byte[CopyBytes];
        using var source = File.OpenHandle(part, options: FileOptions.SequentialScan);
        long position = 0;
        while (RandomAccess.Read(source, block, position) is var read and > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.Append(block.AsSpan(0, read));
            target.Write(block, 0, read);
            position += read;
        }
    }

    private static FileStream Lock(PartsFolder folder)
    {
        try
        {
            return new FileStream(folder.In(LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new StreamException($"The output '{folder.Path}' is being finished by another process, or its folder cannot be written: {e.Message}", e);
        }
    }
}

/// <summary>Says that the final file is whole and durable, and of which checkpoint.</summary>
internal sealed record FinishedMarker(CheckpointId Checkpoint, long Parts, long Bytes, UInt128 Hash)
{
    public const string Name = "finished";
    private const string TemporaryName = "finished.tmp";

    public static FinishedMarker? Read(PartsFolder folder)
    {
        string text;
        try
        {
            text = File.ReadAllText(folder.In(Name));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        var words = text.TrimEnd('\n').Split(' ');
        return words.Length == 5 && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) && attempt > 0 &&
            long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) &&
            long.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var parts) &&
            long.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) &&
            UInt128.TryParse(words[4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hash)
            ? new FinishedMarker(new CheckpointId(new Attempt(attempt), number), parts, bytes, hash)
            : throw new StreamException($"The file '{folder.In(Name)}' is damaged: it should hold attempt, checkpoint, parts, bytes and hash. Restore it, or start over with --fresh.");
    }

    public void Write(PartsFolder folder)
    {
        var temporary = folder.In(TemporaryName);
        folder.BeforeStep("write " + TemporaryName);
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"{Checkpoint.Attempt.Number} {Checkpoint.Number} {Parts} {Bytes} {Hash:x32}\n")));
            stream.Flush(flushToDisk: true);
        }

        folder.BeforeStep("mark " + Name);
        File.Move(temporary, folder.In(Name), overwrite: true);
        DurableFiles.SyncFolder(folder.Folder);
    }
}
