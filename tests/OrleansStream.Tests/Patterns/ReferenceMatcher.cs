using OrleansStream.Patterns;

namespace OrleansStream.Tests.Patterns;

/// <summary>A step of a pattern that <see cref="ReferenceMatcher"/> understands.</summary>
internal sealed record ReferenceStep(string Name, string Letters, Contiguity Contiguity)
{
    public int Least { get; init; } = 1;

    public int Most { get; init; } = 1;

    public bool IsOptional { get; init; }

    public Contiguity Inner { get; init; } = Contiguity.FollowedBy;

    /// <summary>A letter that ends the loop.</summary>
    public char? Until { get; init; }

    public int? WithinNeighbours { get; init; }

    public bool IsLoop => Most == int.MaxValue;

    public bool IsNot => Contiguity is Contiguity.NotNext or Contiguity.NotFollowedBy;

    public bool Fits(string record) => Letters.Contains(LetterOf(record), StringComparison.Ordinal);

    public bool Ends(string record) => Until is { } until && LetterOf(record) == until;

    /// <summary>A record's kind: the letter behind its key, if it has one.</summary>
    public static char LetterOf(string record) => record[record.LastIndexOf('/') + 1];
}

/// <summary>
/// Finds the matches of a pattern by trying every choice of records, each held against what the words of the pattern say about the gap between two neighbours of a match. It knows no
/// states.
/// </summary>
internal sealed class ReferenceMatcher(IReadOnlyList<ReferenceStep> steps, int? within, IReadOnlyList<(string Record, long Time)> records)
{
    private readonly List<(int Step, int Record)> _taken = [];
    private readonly List<string> _found = [];

    public static List<string> Find(IReadOnlyList<ReferenceStep> steps, int? within, IReadOnlyList<(string Record, long Time)> records)
    {
        var matcher = new ReferenceMatcher(steps, within, records);
        matcher.Extend();
        matcher._found.Sort(StringComparer.Ordinal);
        return matcher._found;
    }

    private void Extend()
    {
        if (_taken.Count > 0 && IsComplete()) _found.Add(Text());
        var last = _taken.Count > 0 ? _taken[^1] : (Step: -1, Record: -1);
        for (var record = last.Record + 1; record < records.Count; record++)
        {
            for (var step = Math.Max(0, last.Step); step < steps.Count; step++)
            {
                if (steps[step].IsNot || !CanTake(last.Step, step, record)) continue;
                _taken.Add((step, record));
                Extend();
                _taken.RemoveAt(_taken.Count - 1);
            }
        }
    }

    private int Count(int step) => _taken.Count(taken => taken.Step == step);

    private bool IsLeftOut(int from, int to) => steps.Skip(from).Take(to - from).All(static step => step.IsOptional || step.IsNot);

    private bool CanTake(int before, int step, int record)
    {
        var taking = steps[step];
        if (!taking.Fits(records[record].Record) || taking.Ends(records[record].Record)) return false;
        if (before < 0) return IsLeftOut(0, step);
        var inner = before == step;
        if (inner ? Count(step) >= taking.Most : Count(before) < steps[before].Least || !IsLeftOut(before + 1, step)) return false;
        if (within is { } bound && records[record].Time - records[_taken[0].Record].Time >= bound) return false;
        var previous = _taken[^1].Record;
        if (taking.WithinNeighbours is { } neighbours && records[record].Time - records[previous].Time >= neighbours) return false;
        return GapIsOpen(previous, record, inner ? taking.Inner : taking.Contiguity, taking, inner) && WasNotRuledOut();
    }

    private bool GapIsOpen(int previous, int record, Contiguity contiguity, ReferenceStep step, bool inner)
    {
        if (contiguity == Contiguity.Next && record != previous + 1) return false;
        for (var between = previous + 1; between < record; between++)
        {
            if (contiguity == Contiguity.FollowedBy && step.Fits(records[between].Record)) return false;
            if (inner && step.Ends(records[between].Record)) return false;
        }

        return NothingForbidden(_taken[^1].Step, steps.IndexOf(step), previous, record - 1) && FirstIsNotForbidden(_taken[^1].Step, steps.IndexOf(step), previous);
    }

    /// <summary>A record that was taken and also forbidden ends what goes on behind it.</summary>
    private bool WasNotRuledOut()
    {
        if (_taken.Count < 2) return true;
        var (before, now) = (_taken[^2], _taken[^1]);
        return NothingForbidden(before.Step, now.Step, now.Record - 1, now.Record, isInner: before.Step == now.Step);
    }

    private bool NothingForbidden(int before, int step, int from, int to, bool? isInner = null)
    {
        var nots = (isInner ?? before == step) ? steps.Skip(before + 1).TakeWhile(static other => other.IsNot) : steps.Skip(before + 1).Take(step - before - 1);
        var forbidden = nots.Where(static other => other.Contiguity == Contiguity.NotFollowedBy).ToList();
        for (var record = from + 1; record <= to; record++)
        {
            if (forbidden.Exists(not => not.Fits(records[record].Record))) return false;
        }

        return true;
    }

    /// <summary>NotNext looks at the record directly behind; behind a loop, wherever the loop could be over.</summary>
    private bool FirstIsNotForbidden(int before, int step, int previous)
    {
        if (before == step && Count(step) < steps[step].Least) return true;
        var nots = before == step ? steps.Skip(before + 1).TakeWhile(static other => other.IsNot) : steps.Skip(before + 1).Take(step - before - 1);
        return nots.All(not => not.Contiguity != Contiguity.NotNext || !not.Fits(records[previous + 1].Record));
    }

    private bool IsComplete()
    {
        var last = _taken[^1];
        if (Count(last.Step) < steps[last.Step].Least) return false;
        if (steps[^1].Contiguity != Contiguity.NotFollowedBy) return IsLeftOut(last.Step + 1, steps.Count);

        // Nothing that is forbidden at the end comes until time is over, and the last record was not forbidden itself.
        if (!steps.Skip(last.Step + 1).All(static step => step.IsNot) || !WasNotRuledOut()) return false;
        var end = records[_taken[0].Record].Time + within!.Value;
        for (var record = last.Record + 1; record < records.Count && records[record].Time < end; record++)
        {
            if (!NothingForbidden(last.Step, steps.Count, record - 1, record)) return false;
            if (record == last.Record + 1 && !FirstIsNotForbidden(last.Step, steps.Count, last.Record)) return false;
        }

        return true;
    }

    private string Text() => string.Join(' ', _taken.GroupBy(static taken => taken.Step).OrderBy(static step => step.Key)
        .Select(step => $"{steps[step.Key].Name}[{string.Join(',', step.Select(taken => records[taken.Record].Record))}]"));
}

file static class ListSearch
{
    public static int IndexOf<T>(this IReadOnlyList<T> list, T item)
        where T : class
    {
        for (var index = 0; index < list.Count; index++)
        {
            if (ReferenceEquals(list[index], item)) return index;
        }

        return -1;
    }
}
