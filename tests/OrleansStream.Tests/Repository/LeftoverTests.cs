using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace OrleansStream.Tests.Repository;

/// <summary>Things that are left behind by accident. Patterns are put together from pieces, so that this file does not find itself.</summary>
public sealed partial class LeftoverTests
{
    private static readonly (string Pattern, string Why)[] Forbidden =
    [
        (@"\bTO" + @"DO\b|\bFIX" + @"ME\b|\bHA" + @"CK\b|\bXX" + @"X\b", "finish it, or leave it out"),
        (@"NotImplemented" + "Exception", "finish it, or leave it out"),
        (@"Thread\." + @"Sleep\b", "wait for what is awaited, not for a while"),
        (@"\bSkip" + @" ?= ?""", "a test that does not run is none"),
        (@"(?<![\w./~])/(home|ro" + @"ot|wo" + @"rk|Users|mnt)/", "a path of one machine"),
        (@"\b[A-Z]:\\\\?(Users|work)", "a path of one machine"),
        (@"api\.nu" + @"get\.org|registry\.npm" + @"js|pkgs\.dev\.az" + @"ure|nuget\.pkg\.git" + @"hub", "package sources are the machine's business"),
        (@"<{7} |>{7} |^={7}$", "a merge that was not finished"),
    ];

    private static readonly HashSet<string> TextKinds =
        [".cs", ".csproj", ".props", ".targets", ".json", ".md", ".txt", ".yml", ".yaml", ".sh", ".sln", ".xml", ".editorconfig", ".gitattributes", ".gitignore", ".config", ".html", ".css", ".js", ""];

    [Fact]
    public void Nothing_is_left_behind() => Tree.RequireNone(
        from file in Text()
        where file != "src/BannedSymbols.txt"
        from line in Tree.Text(file).Split('\n').Select(static (text, index) => (Text: text, Number: index + 1))
        from rule in Forbidden
        let match = Regex.Match(line.Text, rule.Pattern)
        where match.Success
        select $"{file}:{line.Number}: '{match.Value}': {rule.Why}",
        "No file holds these words.");

    [Fact]
    public void A_warning_is_switched_off_only_with_a_reason() => Tree.RequireNone(
        from file in Tree.Files.Where(static file => file.EndsWith(".cs", StringComparison.Ordinal))
        from trivia in Tree.Syntax(file).DescendantTrivia(descendIntoTrivia: true)
        where trivia.GetStructure() is PragmaWarningDirectiveTriviaSyntax { DisableOrRestoreKeyword.ValueText: "disable" } pragma && !pragma.ToFullString().Contains("//", StringComparison.Ordinal)
        select $"{file}:{trivia.GetLocation().GetLineSpan().StartLinePosition.Line + 1}",
        "#pragma warning disable has its reason behind it, as a comment on the same line.");

    [Fact]
    public void Plans_and_hand_overs_are_not_part_of_the_tree() => Tree.RequireNone(
        Tree.Files.Where(static file => PlanName().IsMatch(Path.GetFileName(file))), "The tree holds what is, not what was or will be.");

    [Fact]
    public void Files_are_utf8_with_unix_lines_a_newline_at_the_end_and_no_blanks_before_it() => Tree.RequireNone(
        Text().SelectMany(static file => Shape(file, File.ReadAllBytes(Path.Combine(Tree.Root, file)))), "As .editorconfig says.");

    private static IEnumerable<string> Shape(string file, byte[] bytes)
    {
        if (bytes.Length == 0) yield break;
        string text;
        string? problem = null;
        try
        {
            text = new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (System.Text.DecoderFallbackException error)
        {
            text = "\n";
            problem = error.Message;
        }

        if (problem is not null) yield return $"{file}: {problem}";
        if (text.StartsWith('\ufeff') && !file.EndsWith(".sln", StringComparison.Ordinal)) yield return $"{file}: begins with a byte-order mark";
        if (text.Contains('\r', StringComparison.Ordinal)) yield return $"{file}: has carriage returns";
        if (!text.EndsWith('\n')) yield return $"{file}: does not end with a newline";
        if (text.EndsWith("\n\n", StringComparison.Ordinal)) yield return $"{file}: ends with an empty line";
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (line.EndsWith(' ') || line.EndsWith('\t')) yield return $"{file}:{number}: blanks at the end of the line";
        }
    }

    private static IEnumerable<string> Text() => Tree.Files.Where(static file => TextKinds.Contains(Path.GetExtension(file)));

    [GeneratedRegex(@"^(plan|todo|notes?|hand-?over|hand-?off|progress|status|changelog-draft|scratch|memo|session).*\.(md|txt)$|\.(orig|rej|bak|tmp|swp)$|^claude|^agents?\.md$", RegexOptions.IgnoreCase)]
    private static partial Regex PlanName();
}
