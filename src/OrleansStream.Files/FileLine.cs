using System.Text;

namespace OrleansStream;

/// <summary>One physical line of a file, found without regard to quotes, after a row that cannot be divided from the rest.</summary>
/// <param name="Line">Its number.</param>
/// <param name="Text">Its text; the beginning only when it exceeds the limit.</param>
/// <param name="End">Where it ends, before its line break.</param>
internal readonly record struct FileLine(long Line, string Text, FileOffset End)
{
    /// <summary>Finds the first line with anything on it from a place on.</summary>
    public static FileLine Read(SplitFile file, FileOffset from, int limitBytes)
    {
        var block = new byte[64 * 1024];
        var position = from.Position;
        var line = from.Line;
        var text = new MemoryStream();
        var afterReturn = false;
        while (true)
        {
            var read = file.Read(position, block);
            var bytes = block.AsSpan(0, read);
            var at = 0;
            while (text.Length == 0 && at < read && bytes[at] is (byte)'\r' or (byte)'\n')
            {
                if (!(bytes[at] == '\n' && afterReturn)) line++;
                afterReturn = bytes[at] == '\r';
                at++;
            }

            var rest = bytes[at..];
            var stop = rest.IndexOfAny((byte)'\r', (byte)'\n');
            var length = stop < 0 ? rest.Length : stop;
            text.Write(rest[..(int)Math.Min(length, Math.Max(0, limitBytes + 1 - text.Length))]);
            position += at + length;
            if (stop >= 0 || read == 0) return new FileLine(line, Shown(text, limitBytes), new FileOffset(position, line));
        }
    }

    private static string Shown(MemoryStream text, int limitBytes)
    {
        var kept = text.Length > limitBytes ? (int)Math.Min(text.Length, BadRecord.TextLimitBytes) : (int)text.Length;
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, kept);
    }
}
