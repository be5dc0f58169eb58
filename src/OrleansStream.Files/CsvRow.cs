using System.Globalization;
using System.Numerics;
using System.Text;
using CsvHelper;
using OrleansStream.Jobs;

namespace OrleansStream;

/// <summary>One row of a CSV file, its fields read by column name. Valid during the mapping's call only.</summary>
/// <remarks>Numbers and times are read in the invariant culture. A field that cannot be read makes the row a bad record; a column that is not in the header refuses the job.</remarks>
public sealed class CsvRow
{
    private const DateTimeStyles UtcStyle = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
    private const int LongestTime = 64;
    private const int LongestDecimal = 28;
    private const int ShownCharacters = 60;

    /// <summary>Throws on bytes that are no UTF-8 instead of replacing them.</summary>
    internal static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly string[] IsoFormats =
        ["yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-dd", "yyyy-MM-dd HH:mmK", "yyyy-MM-ddTHH:mmK"];

    private readonly string[] _columns;
    private readonly Dictionary<string, int> _indexes;
    private CsvReader _csv = null!;

    internal CsvRow(string file, string[] columns, Dictionary<string, int> indexes)
    {
        File = file;
        FileNameWithoutExtension = Path.GetFileNameWithoutExtension(file);
        _columns = columns;
        _indexes = indexes;
    }

    /// <summary>The file, as it was given to the source.</summary>
    public string File { get; }

    /// <summary>The file's name without folder and ending.</summary>
    public string FileNameWithoutExtension { get; }

    /// <summary>The line of the file where the row begins, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>The column names of the header, in its order.</summary>
    public IReadOnlyList<string> Columns => _columns;

    internal void MoveTo(CsvReader csv, long line)
    {
        _csv = csv;
        Line = line;
    }

    /// <summary>Whether the field is empty.</summary>
    public bool IsEmpty(string column) => _csv.GetSpan(Index(column)).IsEmpty;

    /// <summary>The field as text, without its quotes; an empty field is an empty string.</summary>
    public string GetString(string column)
    {
        var index = Index(column);
        try
        {
            return StrictUtf8.GetString(_csv.GetSpan(index));
        }
        catch (DecoderFallbackException)
        {
            throw Refuse(index, "is not UTF-8 text");
        }
    }

    /// <summary>The field as a finite number with a point as decimal mark, no thousands separators, with or without exponent.</summary>
    public double GetDouble(string column)
    {
        var index = Index(column);
        if (!double.TryParse(_csv.GetSpan(index), NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            throw Refuse(index, "is not a number (written with a point as decimal mark and no thousands separators)");
        return double.IsFinite(value) ? value : throw Refuse(index, "is not a finite number of 64 bits");
    }

    /// <summary>The field as a decimal number with a point as decimal mark, no thousands separators and no exponent, every digit kept.</summary>
    public decimal GetDecimal(string column)
    {
        const string Otherwise = "is not a decimal number (written with a point as decimal mark, no thousands separators, at most 28 digits)";
        var value = GetNumber<decimal>(column, NumberStyles.Float & ~NumberStyles.AllowExponent, Otherwise);
        var index = Index(column);
        return Digits(_csv.GetSpan(index)) <= LongestDecimal ? value : throw Refuse(index, Otherwise);
    }

    /// <summary>The field as a whole number.</summary>
    public long GetInt64(string column) =>
        GetNumber<long>(column, NumberStyles.Integer, $"is not a whole number between {long.MinValue} and {long.MaxValue}");

    /// <summary>The field as a time in UTC. One that carries an offset is converted, one without is taken as UTC.</summary>
    /// <param name="column">The column.</param>
    /// <param name="formats">The forms it may have, as .NET's custom formats; ISO 8601 with a space or a T, to the second or finer, when none is given.</param>
    public DateTime GetDateTimeUtc(string column, params ReadOnlySpan<string> formats)
    {
        var index = Index(column);
        var bytes = _csv.GetSpan(index);
        Span<char> text = stackalloc char[LongestTime];
        if (bytes.Length <= LongestTime && Encoding.UTF8.TryGetChars(bytes, text, out var length))
        {
            foreach (var format in formats.IsEmpty ? IsoFormats : formats)
            {
                if (DateTime.TryParseExact(text[..length].Trim(), format, CultureInfo.InvariantCulture, UtcStyle, out var value)) return value;
            }
        }

        var forms = formats.IsEmpty ? "2013-12-02 21:15:00, 2013-12-02T21:15:00.123Z or 2013-12-02" : $"'{string.Join("', '", formats.ToArray())}'";
        throw Refuse(index, $"is not a time between the years 1 and 9999 of the form {forms}");
    }

    /// <summary>How many digits must be kept; what has more would be rounded without a word.</summary>
    private static int Digits(ReadOnlySpan<byte> number)
    {
        var digits = 0;
        var leading = true;
        foreach (var c in number)
        {
            if (c is < (byte)'0' or > (byte)'9')
            {
                leading &= c != '.';
                continue;
            }

            leading &= c == '0';
            if (!leading) digits++;
        }

        return digits;
    }

    private T GetNumber<T>(string column, NumberStyles style, string otherwise)
        where T : INumber<T>
    {
        var index = Index(column);
        return T.TryParse(_csv.GetSpan(index), style, CultureInfo.InvariantCulture, out var value) ? value : throw Refuse(index, otherwise);
    }

    private int Index(string column) => _indexes.TryGetValue(column, out var index)
        ? index
        : throw new JobRefusedException($"The file '{File}' has no column '{column}'; its columns are {string.Join(", ", _columns.Select(c => $"'{c}'"))}.");

    private FieldException Refuse(int index, string reason)
    {
        var bytes = _csv.GetSpan(index);
        if (bytes.IsEmpty) return new FieldException($"column '{_columns[index]}' is empty and so {reason}", index + 1);
        var text = Encoding.UTF8.GetString(bytes);
        if (text.Length > ShownCharacters) text = text[..ShownCharacters] + "…";
        return new FieldException($"column '{_columns[index]}' holds '{text}', which {reason}", index + 1);
    }
}
