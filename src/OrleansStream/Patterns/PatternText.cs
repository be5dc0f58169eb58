using System.Globalization;
using System.Text;

namespace OrleansStream.Patterns;

/// <summary>Writes a pattern down, but for its conditions: what snapshots depend on.</summary>
internal static class PatternText
{
    public static string Of<T>(Pattern<T> pattern)
    {
        var text = new StringBuilder();
        for (var index = 0; index < pattern.Steps.Count; index++)
        {
            var step = pattern.Steps[index];
            if (index > 0) text.Append(' ').Append(step.Contiguity).Append(' ');
            Write(text, step);
        }

        if (pattern.Skip is { Kind: not SkipKind.None } skip) text.Append(" skip ").Append(skip);
        return text.ToString();
    }

    private static void Write<T>(StringBuilder text, PatternStep<T> step)
    {
        if (step.Group is { } group) text.Append('(').Append(Of(group)).Append(')');
        else text.Append(step.Name);
        if (step.IsRepeated) text.Append(CultureInfo.InvariantCulture, $"{{{step.Least},{(step.Loops ? "" : step.Most)}}}");
        if (step.IsOptional) text.Append('?');
        if (step.IsGreedy) text.Append(" greedy");
        if (step.HasInner) text.Append(step.Inner == Contiguity.Next ? " consecutive" : " combinations");
        if (step.Until is not null) text.Append(" until");
        if (step.Within is { } within) text.Append(" within ").Append(within.ToString("c"));
        if (step.WithinNeighbours is { } neighbours) text.Append(" within ").Append(neighbours.ToString("c")).Append(" of the record before");
    }
}
