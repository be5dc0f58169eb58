using System.Text.RegularExpressions;
using OrleansStream.Jobs;

namespace OrleansStream.Silo.Runs;

/// <summary>An output file of a run with the folder of its parts, as the file sink keeps them.</summary>
internal sealed partial class RunOutput(string path)
{
    private string Parts => path + ".parts";

    public bool Exists => File.Exists(path);

    /// <summary>Refuses to start over when the folder of parts holds what no file sink has put there.</summary>
    public void RefuseUnlessOurs()
    {
        if (Directory.Exists(path)) throw new JobRefusedException($"The output '{path}' is a folder: give the path of a file.");
        if (!Directory.Exists(Parts)) return;
        var strange = Directory.EnumerateFileSystemEntries(Parts).Select(static entry => Path.GetFileName(entry)).FirstOrDefault(static name => !PartFile().IsMatch(name));
        if (strange is not null)
            throw new JobRefusedException($"The folder '{Parts}' does not look like parts of an output: it holds '{strange}'. Nothing was deleted; give another --output, or remove the folder yourself.");
    }

    public void Delete()
    {
        File.Delete(path);
        if (Directory.Exists(Parts)) Directory.Delete(Parts, recursive: true);
    }

    public long CountLines()
    {
        long lines = 0;
        using var file = File.OpenRead(path);
        var block = new byte[64 * 1024];
        while (file.Read(block) is var read and > 0) lines += block.AsSpan(0, read).Count((byte)'\n');
        return lines;
    }

    [GeneratedRegex(@"^([0-9a-f-]+\.(writing|staged|jsonl)|finished|finished\.tmp|final\.tmp|finish\.lock|probe\.tmp)$", RegexOptions.CultureInvariant)]
    private static partial Regex PartFile();
}
