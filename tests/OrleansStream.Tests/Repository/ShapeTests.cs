using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace OrleansStream.Tests.Repository;

/// <summary>How large files are and what things are called.</summary>
public sealed class ShapeTests
{
    private const int LongestFile = 400;

    private static readonly HashSet<string> EmptyFolderNames = ["Common", "Core", "Internal", "Internals", "Utils", "Util", "Utilities", "Helpers", "Extensions", "Providers", "Misc", "Shared", "Base"];

    private static readonly string[] EmptyEndings = ["Manager", "Helper", "Helpers", "Utils", "Util", "Utilities", "Common", "Base", "Impl", "Info", "Data"];

    [Fact]
    public void No_file_is_longer_than_one_can_read_at_once() => Tree.RequireNone(
        from file in Tree.Files.Where(static file => file.EndsWith(".cs", StringComparison.Ordinal))
        let lines = Tree.Text(file).AsSpan().Count('\n')
        where lines > LongestFile
        select $"{file}: {lines} lines",
        $"A file has {LongestFile} lines at most; divide it by what it keeps or decides.");

    [Fact]
    public void Folders_are_named_after_what_is_in_them() => Tree.RequireNone(
        Tree.Files.SelectMany(static file => file.Split('/')[..^1].Where(EmptyFolderNames.Contains).Select(name => $"{name} in {file}")), "These names say nothing.");

    [Fact]
    public void Types_are_named_after_what_they_are() => Tree.RequireNone(
        from file in Tree.Files.Where(static file => file.EndsWith(".cs", StringComparison.Ordinal))
        from type in Tree.Syntax(file).DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
        from ending in EmptyEndings
        where type.Identifier.ValueText.EndsWith(ending, StringComparison.Ordinal)
        select $"{Tree.At(file, type)}: {type.Identifier.ValueText}",
        $"No type is called a {string.Join(", ", EmptyEndings)}.");

    [Fact]
    public void Types_of_the_engine_are_sealed_unless_made_to_be_derived_from() => Tree.RequireNone(
        from file in Tree.Code("src")
        from type in Tree.Syntax(file).DescendantNodes().OfType<TypeDeclarationSyntax>()
        where type is ClassDeclarationSyntax or RecordDeclarationSyntax { ClassOrStructKeyword.RawKind: not (int)SyntaxKind.StructKeyword }
        where !type.Modifiers.Any(static modifier => modifier.RawKind is (int)SyntaxKind.SealedKeyword or (int)SyntaxKind.AbstractKeyword or (int)SyntaxKind.StaticKeyword)
        where !Derived.Value.Contains(type.Identifier.ValueText) && !HasSealedPart(file, type)
        select $"{Tree.At(file, type)}: {type.Identifier.ValueText}",
        "A class is sealed, abstract or static, or something in the tree derives from it.");

    [Fact]
    public void Tests_are_sentences() => Tree.RequireNone(
        from file in Tree.Code("tests")
        from method in Tree.Syntax(file).DescendantNodes().OfType<MethodDeclarationSyntax>()
        where method.AttributeLists.SelectMany(static list => list.Attributes).Any(static attribute => attribute.Name.ToString() is "Fact" or "Theory")
        let words = method.Identifier.ValueText.Split('_')
        where words.Length < 3 || words.Skip(1).Any(static word => word.Length == 0)
        select $"{Tree.At(file, method)}: {method.Identifier.ValueText}",
        "A test's name is a sentence about behaviour, its words divided by underscores.");

    /// <summary>The names that stand in a base list somewhere.</summary>
    private static readonly Lazy<HashSet<string>> Derived = new(static () =>
    [
        .. from file in Tree.Files.Where(static file => file.EndsWith(".cs", StringComparison.Ordinal))
           from list in Tree.Syntax(file).DescendantNodes().OfType<BaseListSyntax>()
           from type in list.Types
           from name in type.Type.DescendantNodesAndSelf().OfType<SimpleNameSyntax>().Take(1)
           select name.Identifier.ValueText,
    ]);

    /// <summary>One part of a partial class says it for all.</summary>
    private static bool HasSealedPart(string file, TypeDeclarationSyntax type) => type.Modifiers.Any(SyntaxKind.PartialKeyword) && Tree.Code(file[..file.LastIndexOf('/')])
        .SelectMany(static other => Tree.Syntax(other).DescendantNodes().OfType<TypeDeclarationSyntax>())
        .Any(other => other.Identifier.ValueText == type.Identifier.ValueText && other.Modifiers.Any(static modifier => modifier.RawKind is (int)SyntaxKind.SealedKeyword or (int)SyntaxKind.StaticKeyword));
}
