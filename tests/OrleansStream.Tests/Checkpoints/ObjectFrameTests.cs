using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Tests.Checkpoints;

public sealed class ObjectFrameTests
{
    public static TheoryData<string> Kinds => [.. Samples.OneOfEachEntry().Select(e => e.GetType().Name), "Manifest"];

    [Theory, MemberData(nameof(Kinds))]
    public void What_was_written_is_read_back(string kind)
    {
        var (bytes, decode) = Sample(kind);
        Assert.Equal(bytes, decode(bytes));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Every_single_flipped_bit_is_noticed(string kind)
    {
        var (bytes, decode) = Sample(kind);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var flipped = bytes.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            AssertDamaged(() => decode(flipped), $"bit {bit}");
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Every_truncation_is_noticed(string kind)
    {
        var (bytes, decode) = Sample(kind);
        for (var length = 0; length < bytes.Length; length++) AssertDamaged(() => decode(bytes[..length]), $"length {length}");
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Every_appended_byte_is_noticed(string kind)
    {
        var (bytes, decode) = Sample(kind);
        for (var value = 0; value < 256; value++) AssertDamaged(() => decode([.. bytes, (byte)value]), $"byte {value}");
    }

    [Fact]
    public void Damage_names_the_object_and_says_how()
    {
        var bytes = new Finished("w").Encode();
        var cut = Assert.Throws<DamagedObjectException>(() => LogEntry.Decode("jobs/x/1", bytes.AsMemory(0, bytes.Length - 3)));
        Assert.Equal("jobs/x/1", cut.ObjectName);
        Assert.Contains("'jobs/x/1' is damaged: it was cut short", cut.Message, StringComparison.Ordinal);
        var longer = Assert.Throws<DamagedObjectException>(() => LogEntry.Decode("n", (byte[])[.. bytes, 0]));
        Assert.Contains("bytes were added", longer.Message, StringComparison.Ordinal);

        bytes[^2] ^= 1;
        Assert.Contains("checksum", Assert.Throws<DamagedObjectException>(() => LogEntry.Decode("n", bytes)).Message, StringComparison.Ordinal);
        var kind = Assert.Throws<DamagedObjectException>(() => LogEntry.Decode("n", ManifestObject.Encode(Samples.Manifest(Samples.Id(1, 1)))));
        Assert.Contains("kind 2 where a LogEntry", kind.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_format_is_named_and_not_taken_for_damage_of_bytes()
    {
        // The checksum is made right for the changed version, as a newer build would.
        var bytes = new Finished("w").Encode();
        bytes[4] = 2;
        var hash = new System.IO.Hashing.XxHash128();
        hash.Append(bytes.AsSpan(0, 16));
        hash.Append(bytes.AsSpan(32));
        hash.GetCurrentHash(bytes.AsSpan(16, 16));
        Assert.Contains("format version 2", Assert.Throws<DamagedObjectException>(() => LogEntry.Decode("n", bytes)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"entry":"finished"}""")]
    [InlineData("""{"entry":"finished","writerId":null}""")]
    [InlineData("""{"entry":"finished","writerId":"w","more":1}""")]
    [InlineData("""{"entry":"unheard-of","writerId":"w"}""")]
    [InlineData("""{"writerId":"w"}""")]
    [InlineData("null")]
    [InlineData("{")]
    public void Content_that_is_not_an_entry_is_refused_though_its_checksum_is_right(string json)
    {
        var bytes = ObjectFrame.Wrap(ObjectKind.LogEntry, System.Text.Encoding.UTF8.GetBytes(json));
        Assert.Contains("its checksum is right", Assert.Throws<DamagedObjectException>(() => LogEntry.Decode("n", bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_keeps_all_it_says()
    {
        var id = Samples.Id(3, 14);
        var manifest = Samples.Manifest(id, Samples.Segment(id), Samples.Segment(id, 1));
        var back = CheckpointJson.Decode("n", ObjectKind.Manifest, ManifestObject.Encode(manifest), CheckpointJson.Default.Manifest);
        Assert.Equal(id, back.Id);
        Assert.Equal(manifest.Stages[0].Subtasks[0].Segments, back.Stages[0].Subtasks[0].Segments);
        Assert.Equal(64, back.Stages[0].Subtasks[1].KeyGroups.Start);
        Assert.Equal(128, back.Stages[0].Subtasks[1].KeyGroups.End);
        Assert.Equal(manifest.Sinks["decisions"].Pending, back.Sinks["decisions"].Pending);
        Assert.Equal(17, back.Sinks["decisions"].OutputCount);
        Assert.Equal(manifest.Sources["payments"], back.Sources["payments"]);
        Assert.Equal(201, back.StateBytes());
        Assert.True(back.Final);
    }

    [Fact]
    public void The_order_in_which_a_map_was_filled_does_not_show_in_the_bytes()
    {
        var started = Samples.Started("w", Attempt.First);
        var one = started with { Arguments = new Dictionary<string, string[]> { ["a"] = ["1"], ["B"] = ["2"] }, Inputs = Inputs("x", "y") };
        var other = started with { Arguments = new Dictionary<string, string[]> { ["B"] = ["2"], ["a"] = ["1"] }, Inputs = Inputs("y", "x") };
        Assert.Equal(one.Encode(), other.Encode());

        var manifest = Samples.Manifest(Samples.Id(1, 1));
        var sink = manifest.Sinks["decisions"];
        Assert.Equal(
            ManifestObject.Encode(manifest with { Sinks = new Dictionary<string, SinkManifest> { ["a"] = sink, ["b"] = sink }, Sources = Inputs("x", "y") }),
            ManifestObject.Encode(manifest with { Sinks = new Dictionary<string, SinkManifest> { ["b"] = sink, ["a"] = sink }, Sources = Inputs("y", "x") }));

        static Dictionary<string, IReadOnlyList<SourceSplit>> Inputs(string first, string second) => new() { [first] = [new SourceSplit("s", "")], [second] = [new SourceSplit("s", "")] };
    }

    private static (byte[] Bytes, Func<byte[], byte[]> ReadAndEncode) Sample(string kind)
    {
        if (kind == "Manifest")
        {
            var id = Samples.Id(2, 7);
            return (ManifestObject.Encode(Samples.Manifest(id, Samples.Segment(id))), b =>
                ManifestObject.Encode(CheckpointJson.Decode("n", ObjectKind.Manifest, b, CheckpointJson.Default.Manifest)));
        }

        return (Samples.OneOfEachEntry().Single(e => e.GetType().Name == kind).Encode(), b => LogEntry.Decode("n", b).Encode());
    }

    private static void AssertDamaged(Action decode, string what)
    {
        var damaged = Assert.Throws<DamagedObjectException>(decode);
        Assert.False(damaged.Message.Contains("its checksum is right", StringComparison.Ordinal), what + " was left to the JSON parser to notice");
    }
}
