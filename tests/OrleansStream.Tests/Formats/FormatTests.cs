using System.Globalization;
using OrleansStream.Tests.Repository;

namespace OrleansStream.Tests.Formats;

/// <summary>
/// The formats on disk are frozen: what a version wrote is read by all later ones. These tests hold the engine against files that were recorded and committed.
/// To record a new version: add its entries under <c>v2/…</c> (see <see cref="RecordedFormat"/>), run this class with RECORD_FORMATS=1, which writes the files that are
/// missing and fails, look at them, commit them, and run it again without.
/// </summary>
public sealed class FormatTests
{
    public static TheoryData<string> Recorded => [.. Recordings.All.Select(static format => format.File)];

    public static TheoryData<string> Written => [.. Recordings.All.Where(static format => format.Write is not null).Select(static format => format.File)];

    [Theory, MemberData(nameof(Recorded))]
    public async Task What_was_recorded_is_read_as_what_it_was(string file)
    {
        Assert.True(Recordings.IsRecorded(file), $"{file} is gone: recorded files stay, for jobs have such files. Restore it.");
        await Recordings.Of(file).Read(Recordings.Bytes(file));
    }

    [Theory, MemberData(nameof(Written))]
    public async Task What_is_written_today_is_byte_for_byte_what_was_recorded(string file)
    {
        var format = Recordings.Of(file);
        var today = await format.Write!();
        if (!Recordings.IsRecorded(file)) Record(file, today);
        var recorded = Recordings.Bytes(file);
        Assert.True(
            today.AsSpan().SequenceEqual(recorded),
            $"The format of {format.What} has changed ({file}, {recorded.Length} bytes, is now {today.Length} bytes, the first difference at {today.AsSpan().CommonPrefixLength(recorded)}); "
            + "formats are frozen: give it a new version and keep reading this one.");
    }

    [Fact]
    public async Task Culture_shows_in_no_format()
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var expected = await WriteAllAsync();
        var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        odd.NumberFormat.NegativeSign = "~";
        odd.NumberFormat.NumberDecimalSeparator = ",";
        odd.DateTimeFormat.DateSeparator = "!";
        odd.DateTimeFormat.TimeSeparator = "!";
        CultureInfo.CurrentCulture = odd;
        Assert.Equal(expected, await WriteAllAsync());
    }

    [Fact]
    public void Every_recorded_file_is_read_by_some_test() => Tree.RequireNone(
        Tree.Files.Where(static file => file.StartsWith($"{Recordings.Folder}/", StringComparison.Ordinal))
            .Select(static file => file[(Recordings.Folder.Length + 1)..])
            .Except(Recordings.All.Select(static format => format.File)),
        "A recorded file is read by an entry of Recordings.All, for ever.");

    [Fact]
    public void Every_recording_says_which_version_wrote_it() => Tree.RequireNone(
        Recordings.All.Select(static format => format.File).Where(static file => file[0] != 'v' || !int.TryParse(file[1..file.IndexOf('/', StringComparison.Ordinal)], out _)),
        "A recording is in a folder of its version: v1/…");

    private static async Task<Dictionary<string, string>> WriteAllAsync()
    {
        var written = new Dictionary<string, string>();
        foreach (var format in Recordings.All.Where(static format => format.Write is not null)) written.Add(format.File, Convert.ToHexStringLower(await format.Write!()));
        return written;
    }

    private static void Record(string file, byte[] bytes)
    {
        if (Environment.GetEnvironmentVariable(Recordings.Switch) != "1") Assert.Fail($"{file} is not recorded: if it is new, run these tests once with {Recordings.Switch}=1.");
        Recordings.Record(file, bytes);
        Assert.Fail($"Recorded {file} ({bytes.Length} bytes). Look at it, commit it, and run without {Recordings.Switch}.");
    }
}
