/// Where the classes of images come from.
public enum ImageLabels: Sendable, Hashable {
  /// The names of folders: `photos/cat/1.jpg`.
  case folders
  /// The names of files: the first group of a regular expression that is searched in each, as in `^(.+)_\d+\.jpg$` for
  /// `great_pyrenees_173.jpg` (fastai's `from_name_re`).
  case pattern(String)
  /// A table.
  case table(Table)

  /// A CSV file with a line for each image: its path in the folder, its class, and perhaps its part.
  ///
  /// Cells are separated by commas and may be in quotes (RFC 4180, UTF-8). The first line names the columns, unless its
  /// first cell is the path of an image. Without names given here, the file is in the column `file`, `filename`,
  /// `file_name`, `image`, `image_id`, `path`, `id`, `name` or `fname`, else in the first of two, and the class in `label`,
  /// `class`, `category`, `target` or `breed`, else in the second of two. The part is in `part`, `split` or `is_valid`, if
  /// there is such a column: `train`, `valid` (or `val`, `validation`) and `test`; of `is_valid`, true and false, or 1 and 0.
  ///
  /// Classes are in the order of their names' Unicode scalars, or of their numbers when all are whole numbers. Images that
  /// the table doesn't list are left out.
  ///
  /// fastai's `from_csv`, Keras's `flow_from_dataframe`.
  public struct Table: Sendable, Hashable {
    /// The file's path.
    public let path: String
    /// The column of the image's path; nil for the one that is found.
    public let fileColumn: String?
    /// The column of the class; nil for the one that is found.
    public let labelColumn: String?
    /// The column of the part; nil for the one that is found, if any.
    public let partColumn: String?
    /// What is added to each path, as in `.jpg`.
    public let suffix: String

    /// A table, by its path.
    public init(
      _ path: String, fileColumn: String? = nil, labelColumn: String? = nil,
      partColumn: String? = nil, suffix: String = ""
    ) {
      self.path = path
      self.fileColumn = fileColumn
      self.labelColumn = labelColumn
      self.partColumn = partColumn
      self.suffix = suffix
    }
  }
}
