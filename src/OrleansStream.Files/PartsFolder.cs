using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream;

/// <summary>
/// The parts of one output file, on disk: <c>{path}.parts/</c>. A part is <i>writing</i>, then <i>staged</i> (whole and durable), then <i>committed</i> (visible);
/// at the end of input the committed parts become the final file.
/// <para>Invariants: a part becomes committed by one rename, and only when a pending output names it and a permit of that checkpoint or a later one is shown. Parts
/// are deleted only when the final file and the marker that says so are durable, or when what they hold is taken back. Every step may be repeated after a crash
/// at any point, and leads to the same end.</para>
/// </summary>
internal sealed class PartsFolder(string path)
{
    private const string ProbeName = "probe.tmp";

    /// <summary>Called before each change on disk; tests crash here.</summary>
    internal Action<string> BeforeStep { get; init; } = static _ => { };

    /// <summary>The final file.</summary>
    public string Path => path;

    public string Folder { get; } = path + ".parts";

    public string In(string name) => System.IO.Path.Combine(Folder, name);

    /// <summary>Before the first attempt: refuses what another run left, or removes it when told to.</summary>
    public void Initialize(bool overwrite)
    {
        if (Directory.Exists(path)) throw new JobRefusedException($"The output '{path}' is a folder: give the path of a file.");
        if (File.Exists(path) && !overwrite)
            throw new JobRefusedException($"The output file '{path}' is there already, and not of this run: start over with --fresh ({nameof(JsonLinesOutputOptions)}.{nameof(JsonLinesOutputOptions.Overwrite)}) to replace it, or give another output.");
        try
        {
            DurableFiles.CreateFolder(Folder);
            File.WriteAllBytes(In(ProbeName), []);
            File.Delete(In(ProbeName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobRefusedException($"The output '{path}' cannot be written: {e.Message} Give another output, or let the silo's user write the folder.", e);
        }

        var left = Names().Where(IsPart).ToList();
        // Parts beside the marker of a finished run are only what its tidying did not reach: its output is the final file.
        if (left.Count > 0 && !overwrite && FinishedMarker.Read(this) is null)
            throw new JobRefusedException($"The folder '{Folder}' holds {left.Count} parts of another run, for example '{left[0]}': start over with --fresh ({nameof(JsonLinesOutputOptions)}.{nameof(JsonLinesOutputOptions.Overwrite)}) to delete them, or give another output.");
        foreach (var name in left) File.Delete(In(name));
        FinalFile.RemoveTraces(this);
        DurableFiles.SyncFolder(Folder);
    }

    /// <summary>Makes a finished part durable under the name that its handle carries.</summary>
    public void Stage(FileStream part, string writingName, PartName name)
    {
        using (part)
        {
            BeforeStep("sync " + writingName);
            part.Flush(flushToDisk: true);
        }

        BeforeStep("stage " + name.Staged);
        File.Move(In(writingName), In(name.Staged), overwrite: false);
        DurableFiles.SyncFolder(Folder);
    }

    public void Commit(IReadOnlyList<PendingOutput> outputs, CommitPermit permit)
    {
        if (outputs.Count == 0) return;
        var parts = new PartHandle[outputs.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            if (outputs[i].Checkpoint > permit.Checkpoint)
                throw new StreamException($"Output of checkpoint {outputs[i].Checkpoint} must not be committed with the permit of checkpoint {permit.Checkpoint}.");
            parts[i] = PartHandle.Parse(outputs[i]);
        }

        foreach (var part in parts) Commit(part);
        if (Directory.Exists(Folder)) DurableFiles.SyncFolder(Folder);
    }

    /// <summary>Takes back what was written for later checkpoints, staged parts too, so that no belated commit can bring it back.</summary>
    public void Withdraw(CheckpointId after, Attempt before)
    {
        if (!Directory.Exists(Folder)) return;
        if (FinishedMarker.Read(this) is { } finished && finished.Checkpoint > after)
            throw new StreamException($"The output '{path}' was finished at checkpoint {finished.Checkpoint} and cannot go back to {after}. It is whole; to compute it anew, start over.");
        foreach (var name in Names())
        {
            if (!PartName.TryParse(name, out var part) || part.Checkpoint <= after || part.Checkpoint.Attempt.CompareTo(before) >= 0) continue;
            BeforeStep("withdraw " + name);
            File.Delete(In(name));
        }

        DurableFiles.SyncFolder(Folder);
    }

    /// <summary>
    /// Deletes what attempts before one have staged or begun and nobody has committed. What a manifest names is committed before the subtasks of the attempt that begins from it open, so all that is left
    /// of it is output of checkpoints that were never published.
    /// </summary>
    public void Discard(Attempt before)
    {
        foreach (var name in Names())
        {
            if (PartName.UncommittedOf(name) is not { } attempt || attempt.CompareTo(before) >= 0) continue;
            BeforeStep("discard " + name);
            try
            {
                File.Delete(In(name));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Who writes it does not know yet that its attempt has ended. The next attempt tries again.
            }
        }
    }

    /// <summary>The committed parts in order.</summary>
    public List<PartName> Committed()
    {
        var parts = new List<PartName>();
        foreach (var name in Names())
        {
            if (PartName.TryParse(name, out var part) && name == part.Committed) parts.Add(part);
        }

        return parts;
    }

    /// <summary>Deletes all parts, once the final file holds them.</summary>
    public void DeleteParts()
    {
        foreach (var name in Names())
        {
            if (!IsPart(name)) continue;
            BeforeStep("delete " + name);
            File.Delete(In(name));
        }

        DurableFiles.SyncFolder(Folder);
    }

    private void Commit(PartHandle part)
    {
        var staged = new FileInfo(In(part.Name.Staged));
        var committed = new FileInfo(In(part.Name.Committed));
        if (committed.Exists)
        {
            if (committed.Length != part.Bytes) throw CutShort(committed, part);
            return;
        }

        if (staged.Exists)
        {
            if (staged.Length != part.Bytes) throw CutShort(staged, part);
            BeforeStep("commit " + part.Name.Committed);
            try
            {
                File.Move(staged.FullName, committed.FullName, overwrite: false);
                return;
            }
            catch (FileNotFoundException) when (File.Exists(committed.FullName))
            {
                return; // Another coordinator committed it between the look and the move.
            }
        }

        // Its parts are gone when the job is started again between the final file and the entry that says so.
        if (FinishedMarker.Read(this) is { } finished && part.Name.Checkpoint <= finished.Checkpoint) return;
        throw new StreamException($"The output of subtask {part.Name.Subtask} at checkpoint {part.Name.Checkpoint} is lost: neither '{staged.FullName}' nor '{committed.FullName}' is there. Restore the folder, or start over with --fresh.");
    }

    private static StreamException CutShort(FileInfo file, PartHandle part) =>
        new($"The output part '{file.FullName}' has {file.Length} bytes, but {part.Bytes} were written: something changed it. Restore the folder, or start over with --fresh.");

    private static bool IsPart(string name) => PartName.TryParse(name, out _) || name.EndsWith(PartName.WritingEnding, StringComparison.Ordinal);

    /// <summary>The files there are, in the order that the names of parts have.</summary>
    private List<string> Names() =>
        Directory.Exists(Folder) ? [.. Directory.EnumerateFiles(Folder).Select(f => System.IO.Path.GetFileName(f)).Order(StringComparer.Ordinal)] : [];
}
