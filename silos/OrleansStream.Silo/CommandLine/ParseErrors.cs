using System.CommandLine;
using OrleansStream.Hosting;
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
            return $"There is no job '{job}'.{NearestName.Suggest(job, command.Subcommands.Select(static sub => sub.Name))}";
        if (parsed.UnmatchedTokens.FirstOrDefault(static token => token.StartsWith('-')) is { } option)
            return $"There is no option '{option}'{Of(command)}.{NearestName.Suggest(option, options)}";
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            var names = command.Subcommands.Where(static sub => !sub.Hidden).Select(static sub => sub.Name).ToList();
            if (names.Count > 0) return $"There is no command '{word}'.{NearestName.Suggest(word, names)}";
            return $"'{word}' is one word too many{Of(command)}: options begin with '--', and a value with blanks needs quotes.";
        }

        if (command.Name == RunCommand.Name)
            return $"'run' needs the name of a job: {string.Join(", ", command.Subcommands.Select(static sub => sub.Name))}.";
        return OneLine.Of(parsed.Errors[0].Message);
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
}
