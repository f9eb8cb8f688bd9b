module Maybe exposing (Maybe(..))

{-| A stub.

@docs Maybe

-}


{-| -}
type Maybe a
    = Just a
    | Nothing
