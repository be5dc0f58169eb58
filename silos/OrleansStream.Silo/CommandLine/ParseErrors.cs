using System.CommandLine;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary>Says what is wrong with a command line in one line, with the nearest name where one was mistyped.</summary>
internal static class ParseErrors
{
    public static string Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var options = OptionNames(parsed);
        if (command.Name == RunCommand.Name && parsed.UnmatchedTokens is [var job, ..] && !job.StartsWith('-'))
            return $"There is no job '{job}'. {Offer(job, [.. command.Subcommands.Select(static sub => sub.Name)])}";
        if (parsed.UnmatchedTokens.FirstOrDefault(static token => token.StartsWith('-')) is { } option)
            return $"There is no option '{option}'{Of(command)}. {Offer(option, options)}";
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            var names = command.Subcommands.Where(static sub => !sub.Hidden).Select(static sub => sub.Name).ToList();
            if (names.Count > 0) return $"There is no command '{word}'. {Offer(word, names)}";
            return $"'{word}' is one word too many{Of(command)}: options begin with '--', and a value with blanks needs quotes.";
        }

        if (command.Name == RunCommand.Name)
            return $"'run' needs the name of a job: {string.Join(", ", command.Subcommands.Select(static sub => sub.Name))}.";
        return OneLine.Of(parsed.Errors[0].Message);
    }

    /// <summary>The nearest of some names, or all of them when none is near.</summary>
    public static string Offer(string word, IReadOnlyCollection<string> names)
    {
        var nearest = names.Select(name => (Name: name, Distance: Distance(word, name))).Where(near => near.Distance <= Math.Max(2, word.Length / 3)).OrderBy(static near => near.Distance).ToList();
        return nearest.Count > 0 ? $"Did you mean '{nearest[0].Name}'?" : $"There are: {string.Join(", ", names)}.";
    }

    private static List<string> OptionNames(ParseResult parsed)
    {
        var names = new List<string>();
        for (var command = parsed.CommandResult; command is not null; command = command.Parent as System.CommandLine.Parsing.CommandResult)
        {
            var own = command == parsed.CommandResult;
            names.AddRange(command.Command.Options.Where(option => own || option.Recursive).Select(static option => option.Name));
        }

        return [.. names.Distinct().Order(StringComparer.Ordinal)];
    }

    private static string Of(Command command) => command is RootCommand ? "" : $" of '{command.Name}'";

    /// <summary>How many characters to insert, delete or change (Levenshtein).</summary>
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var change = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j - 1], diagonal) + 1);
            }
        }

        return row[^1];
    }
}
