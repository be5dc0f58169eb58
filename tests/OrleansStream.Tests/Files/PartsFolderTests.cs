using System.Text;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Tests.FileFormats;

/// <summary>Breaks the steps on disk off at every point, and starts anew on what is left.</summary>
public sealed class PartsFolderTests : IDisposable
{
    private static readonly CommitPermit Final = new(new CheckpointId(Attempt.First, 2));

    private readonly TemporaryFolder _temporary = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public void A_crash_before_any_step_of_staging_committing_and_finishing_leads_to_the_same_file()
    {
        var steps = new List<string>();
        Run("unbroken", steps.Add);
        Assert.Equal(3, steps.Count(s => s.StartsWith("stage ", StringComparison.Ordinal)));
        Assert.Equal(3, steps.Count(s => s.StartsWith("commit ", StringComparison.Ordinal)));
        Assert.Contains("mark finished", steps);

        for (var crash = 0; crash < steps.Count; crash++)
        {
            var path = _temporary.In($"crash-{crash}.jsonl");
            var step = 0;
            var error = Assert.Throws<CrashException>(() => Run(path, _ => step++, crashAt: crash, crashed: () => step - 1));
            Assert.Equal(steps[crash].Replace("unbroken", path, StringComparison.Ordinal), error.Message);
            Assert.True(!File.Exists(path) || File.ReadAllText(path) == "a\nb\nc\n", $"A half-written file is seen after a crash before '{error.Message}'.");

            // Recovery: the interrupted attempt's staged parts are written again by another opening, under another name.
            Run(path, _ => { }, incarnation: 2);
            Assert.Equal("a\nb\nc\n", File.ReadAllText(path));
            Assert.Equal(["finish.lock", "finished"], Directory.GetFiles(path + ".parts").Select(f => Path.GetFileName(f)).Order());
        }
    }

    [Fact]
    public void A_repeat_of_commit_and_finish_after_the_end_changes_nothing_and_needs_no_parts()
    {
        var path = _temporary.In("out.jsonl");
        var (folder, outputs) = Staged(path);
        folder.Commit(outputs, Final);
        FinalFile.Finish(folder, 3, Final, Cancellation);
        var written = File.GetLastWriteTimeUtc(path);

        // Another attempt begins at the final checkpoint, commits what its manifest names, and finishes with a permit of its own.
        var again = new PartsFolder(path) { BeforeStep = step => Assert.Fail(step) };
        again.Commit(outputs, Final);
        FinalFile.Finish(again, 3, Final, Cancellation);
        FinalFile.Finish(again, 3, new CommitPermit(new CheckpointId(new Attempt(2), 1)), Cancellation);

        Assert.Equal("a\nb\nc\n", File.ReadAllText(path));
        Assert.Equal(written, File.GetLastWriteTimeUtc(path));
    }

    [Theory]
    [InlineData("deleted", "is no longer there")]
    [InlineData("cut", "has 2")]
    [InlineData("other run", "it belongs to another run")]
    [InlineData("marker damaged", "is damaged")]
    public void A_repeat_of_finish_notices_that_the_final_file_is_not_what_was_finished(string how, string message)
    {
        var path = _temporary.In("out.jsonl");
        var (folder, outputs) = Staged(path);
        folder.Commit(outputs, Final);
        FinalFile.Finish(folder, 3, Final, Cancellation);
        if (how == "deleted") File.Delete(path);
        if (how == "cut") File.WriteAllText(path, "a\n");
        if (how == "marker damaged") File.WriteAllText(folder.In("finished"), "1 2 3");

        var error = Assert.Throws<StreamException>(() => FinalFile.Finish(folder, how == "other run" ? 4 : 3, Final, Cancellation));

        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Output_of_a_checkpoint_later_than_the_finished_one_is_not_taken_for_committed()
    {
        var path = _temporary.In("out.jsonl");
        var (folder, outputs) = Staged(path);
        folder.Commit(outputs, Final);
        FinalFile.Finish(folder, 3, Final, Cancellation);
        var later = new PartHandle(new PartName(new CheckpointId(Attempt.First, 3), 0, new Incarnation(1)), 2);

        Assert.Throws<StreamException>(() => folder.Commit([new PendingOutput(0, later.Name.Checkpoint, later.ToString())], new CommitPermit(later.Name.Checkpoint)));
        Assert.Throws<StreamException>(() => folder.Withdraw(new CheckpointId(Attempt.First, 1), new Attempt(2)));
    }

    [Fact]
    public void Two_finishers_at_once_do_not_write_one_file()
    {
        var path = _temporary.In("out.jsonl");
        var (folder, outputs) = Staged(path);
        folder.Commit(outputs, Final);
        StreamException? second = null;
        var first = new PartsFolder(path)
        {
            BeforeStep = step =>
            {
                if (step.StartsWith("rename", StringComparison.Ordinal)) second = Assert.Throws<StreamException>(() => FinalFile.Finish(folder, 3, Final, Cancellation));
            },
        };

        FinalFile.Finish(first, 3, Final, Cancellation);

        Assert.Contains("is being finished by another process", second!.Message);
        Assert.Equal("a\nb\nc\n", File.ReadAllText(path));
    }

    [Fact]
    public void A_part_later_than_the_final_checkpoint_stops_the_finish()
    {
        var path = _temporary.In("out.jsonl");
        var (folder, outputs) = Staged(path);
        folder.Commit(outputs, Final);

        Assert.Contains("is later than the final checkpoint", Assert.Throws<StreamException>(() => FinalFile.Finish(folder, 3, new CommitPermit(new CheckpointId(Attempt.First, 1)), Cancellation)).Message);
    }

    [Fact]
    public void Output_of_another_run_is_refused_unless_it_may_be_overwritten()
    {
        var path = _temporary.In("out.jsonl");
        var (folder, outputs) = Staged(path);
        Refused("parts of another run");
        folder.Commit(outputs, Final);
        Refused("parts of another run");
        FinalFile.Finish(folder, 3, Final, Cancellation);
        Refused("is there already");

        new PartsFolder(path).Initialize(overwrite: true);
        new PartsFolder(path).Initialize(overwrite: true);

        Assert.Empty(Directory.GetFiles(folder.Folder));
        Assert.Equal("a\nb\nc\n", File.ReadAllText(path)); // Until the new run has finished.
        var again = new PartsFolder(path);
        var one = Stage(again, 0, 1, 1, "new\n");
        again.Commit([one], Final);
        FinalFile.Finish(again, 1, Final, Cancellation);
        Assert.Equal("new\n", File.ReadAllText(path));

        void Refused(string why)
        {
            var error = Assert.Throws<JobRefusedException>(() => new PartsFolder(path).Initialize(overwrite: false));
            Assert.Contains(why, error.Message);
            Assert.Contains("--fresh", error.Message);
            Assert.Contains("another output", error.Message);
        }
    }

    [Fact]
    public void A_first_start_may_be_repeated_and_what_a_finished_run_left_is_no_hindrance_once_its_file_is_moved_away()
    {
        var path = _temporary.In("out.jsonl");
        var (folder, outputs) = Staged(path);
        folder.Commit(outputs, Final);
        FinalFile.Finish(folder, 3, Final, Cancellation);
        File.Move(path, path + ".kept");

        new PartsFolder(path).Initialize(overwrite: false);
        new PartsFolder(path).Initialize(overwrite: false);

        Assert.Empty(Directory.GetFiles(folder.Folder));
        Assert.Throws<StreamException>(() => new PartsFolder(path).Commit(outputs, Final));
    }

    [Fact]
    public void A_target_that_is_a_folder_or_lies_under_a_file_is_refused()
    {
        Assert.Contains("is a folder", Assert.Throws<JobRefusedException>(() => new PartsFolder(_temporary.Path).Initialize(overwrite: false)).Message);
        var file = _temporary.Write("file", "x");
        Assert.Contains("cannot be written", Assert.Throws<JobRefusedException>(() => new PartsFolder(Path.Combine(file, "out.jsonl")).Initialize(overwrite: false)).Message);
    }

    [Fact]
    public void Names_sort_by_attempt_checkpoint_and_subtask_and_are_read_back()
    {
        PartName[] names = [Name(1, 9, 2, 5), Name(1, 10, 0, -1), Name(1, 10, 1, long.MinValue), Name(1, 10, 10, 0), Name(2, 1, 0, 3), Name(int.MaxValue, long.MaxValue, 32_767, long.MaxValue)];

        Assert.Equal(names.Select(n => n.Committed), names.Select(n => n.Committed).Order(StringComparer.Ordinal));
        foreach (var name in names)
        {
            Assert.True(PartName.TryParse(name.Staged, out var staged) && staged == name);
            Assert.True(PartName.TryParse(name.Committed, out var committed) && committed == name);
            Assert.False(PartName.TryParse(name.Committed + ".tmp", out _));
        }

        static PartName Name(int attempt, long number, int subtask, long incarnation) => new(new CheckpointId(new Attempt(attempt), number), subtask, new Incarnation(incarnation));
    }

    /// <summary>A whole run of three parts, every step of which may be one more after a crash.</summary>
    private void Run(string path, Action<string> before, int crashAt = -1, Func<int>? crashed = null, long incarnation = 1)
    {
        var folder = new PartsFolder(path == "unbroken" ? _temporary.In("unbroken") : path)
        {
            BeforeStep = step =>
            {
                var named = step.Replace(_temporary.In("unbroken"), "unbroken", StringComparison.Ordinal);
                before(named);
                if (crashAt >= 0 && crashed!() == crashAt) throw new CrashException(named);
            },
        };
        DurableFiles.CreateFolder(folder.Folder);

        // The "manifest" of the test: handles survive once all parts are staged.
        var manifest = path + ".manifest";
        PendingOutput[] outputs;
        if (path != "unbroken" && File.Exists(manifest))
        {
            outputs = [.. File.ReadAllLines(manifest).Select(l => l.Split(' ')).Select(w => new PendingOutput(int.Parse(w[0]), new CheckpointId(Attempt.First, long.Parse(w[1])), w[2]))];
        }
        else
        {
            outputs = [Stage(folder, 0, 1, incarnation, "a\n"), Stage(folder, 1, 1, incarnation, "b\n"), Stage(folder, 0, 2, incarnation, "c\n")];
            if (path != "unbroken") File.WriteAllLines(manifest, outputs.Select(o => $"{o.Subtask} {o.Checkpoint.Number} {o.Handle}"));
        }

        folder.Commit(outputs, Final);
        FinalFile.Finish(folder, outputs.Length, Final, Cancellation);
    }

    private static (PartsFolder Folder, PendingOutput[] Outputs) Staged(string path)
    {
        var folder = new PartsFolder(path);
        DurableFiles.CreateFolder(folder.Folder);
        return (folder, [Stage(folder, 0, 1, 1, "a\n"), Stage(folder, 1, 1, 1, "b\n"), Stage(folder, 0, 2, 1, "c\n")]);
    }

    private static PendingOutput Stage(PartsFolder folder, int subtask, long number, long incarnation, string text)
    {
        var id = new CheckpointId(Attempt.First, number);
        var name = new PartName(id, subtask, new Incarnation(incarnation));
        var writing = $"{name.Staged}.writing";
        var part = new FileStream(folder.In(writing), FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        part.Write(Encoding.UTF8.GetBytes(text));
        folder.Stage(part, writing, name);
        return new PendingOutput(subtask, id, new PartHandle(name, text.Length).ToString());
    }

    private sealed class CrashException(string step) : Exception(step);
}
