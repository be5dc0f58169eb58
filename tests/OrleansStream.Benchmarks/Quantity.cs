using System.CommandLine.Parsing;
using System.Globalization;

namespace OrleansStream.Benchmarks;

/// <summary>Numbers as people write them: 10000, 250k, 1M, 2.5M/s.</summary>
internal static class Quantity
{
    public static long? ParseWhole(ArgumentResult result)
    {
        if (Parse(result) is not { } number) return null;
        if (number == Math.Floor(number)) return (long)number;
        result.AddError($"'{result.Tokens[0].Value}' is no whole number.");
        return null;
    }

    /// <summary>A whole number that is not too large for a count of keys.</summary>
    public static int? ParseCount(ArgumentResult result)
    {
        if (ParseWhole(result) is not { } number) return null;
        if (number <= int.MaxValue) return (int)number;
        result.AddError($"'{result.Tokens[0].Value}' is more than {int.MaxValue}.");
        return null;
    }

    public static double? Parse(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var digits = text.EndsWith("/s", StringComparison.Ordinal) ? text[..^2] : text;
        var factor = digits is [.., var unit] ? unit switch { 'k' => 1e3, 'M' => 1e6, 'G' => 1e9, _ => 1 } : 1;
        if (factor > 1) digits = digits[..^1];
        if (double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * factor is > 0 and < 1e15) return number * factor;
        result.AddError($"'{text}' is no quantity above 0; write for example 10000, 250k, 1M or 2.5M/s.");
        return null;
    }
}
